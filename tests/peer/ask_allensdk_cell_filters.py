"""Asks the Allen SDK which cells filters choose: records and lists of filters come in, cells by list go out."""

import json
import sys
from pathlib import Path

from statsmodels.sandbox.stats import multicomp
from statsmodels.stats.multitest import multipletests

multicomp.multipletests = multipletests  # where the SDK looks for it, and newer statsmodels do not have it

from allensdk.api.queries.brain_observatory_api import BrainObservatoryApi  # noqa: E402

asked, told = map(Path, sys.argv[1:])
given = json.loads(asked.read_text())
api = BrainObservatoryApi()
found = [
    [
        one["cell_specimen_id"]
        for one in api.filter_cell_specimens(given["cells"], filters=filters, include_failed=failed)
    ]
    for filters, failed in given["filters"]
]
told.write_text(json.dumps(found))
