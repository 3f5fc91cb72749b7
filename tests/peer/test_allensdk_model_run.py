"""A run of a model as the producer's own programs are told of it, beside the Allen SDK's reader of such files.

Runs where $BRAINLAKE_PEER_PYTHON names a Python that has the SDK (2.16.2).
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import brainlake
import pytest
from brainlake.tests.fixtures import model_files

PYTHON = os.environ.get("BRAINLAKE_PEER_PYTHON")
pytestmark = pytest.mark.skipif(not PYTHON, reason="BRAINLAKE_PEER_PYTHON names no Python with the Allen SDK")


def test_a_run_tells_the_same_files_and_sweeps(tmp_path: Path) -> None:
    """The SDK keeps test sweeps among the types, and leaves failed ones out where it lists all numbers."""
    run = model_files.write_json(tmp_path / "run.json", model_files.run_record())
    script = Path(__file__).with_name("ask_allensdk_model_run.py")
    subprocess.run([str(PYTHON), script, run, tmp_path / "told.json"], check=True)
    told = json.loads((tmp_path / "told.json").read_text())
    with brainlake.create(tmp_path / "lake") as lake:
        lake.ingest(run).raise_failed()
        paths = lake.sql("select file_kind, warehouse_path from models.model_files order by well_known_file_id").pl()
        of_kind = {kind: part["warehouse_path"].to_list() for (kind,), part in paths.group_by("file_kind")}
        assert [told["stimulus"]] == of_kind["stimulus"]
        assert [told["morphology"]] == of_kind["morphology"]
        assert [told["fit"]] == of_kind["fit"]
        assert told["modfiles"] == of_kind["modfiles"]
        sweeps = lake.sql(
            "select sweep_number, stimulus_name, extra->>'workflow_state' from models.model_record_sweeps"
        )
        rows = sweeps.pl().rows()
        assert sorted(told["sweep_numbers"]) == sorted(n for n, _, state in rows if state.endswith("_passed"))
        by_type: dict[str, list[int]] = {}
        for number, name, _ in rows:
            by_type.setdefault(name, []).append(number)
        assert {name: sorted(numbers) for name, numbers in told["sweeps_by_type"].items()} == {
            name: sorted(numbers) for name, numbers in by_type.items()
        }
        (model,) = lake.sql("select neuronal_model_template_name from models.model_records").pl().rows()
        assert model == (told["model_type"],)
        (folder,) = lake.sql("select extra->>'storage_directory' from models.model_record_runs").pl().rows()
        assert folder == (told["run_folder"],)
