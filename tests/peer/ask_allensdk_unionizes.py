"""Run by the Allen SDK's Python: its unionizes of grids in files. Arguments: input.json output.json classic|cav."""

from __future__ import annotations

import json
import sys
import warnings


def main(given, told, case):
    warnings.simplefilter("ignore")
    if case == "cav":
        # its modules import each other as Python 2 let them: from their own folder
        from allensdk.internal.mouse_connectivity import interval_unionize

        sys.path[:0] = interval_unionize.__path__
        from allensdk.internal.mouse_connectivity.interval_unionize.run_tissuecyte_unionize_cav import run
    else:
        from allensdk.internal.mouse_connectivity.interval_unionize.run_tissuecyte_unionize_classic import run
    with open(given) as file:
        rows = run(json.load(file))
    with open(told, "w") as file:
        json.dump(rows, file, default=float)


if __name__ == "__main__":
    main(*sys.argv[1:])
