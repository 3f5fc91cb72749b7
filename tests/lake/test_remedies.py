"""The command that brings a source again: a line to paste into a shell."""

from __future__ import annotations

import shlex

from brainlake.lake.remedies import brings


def test_a_source_is_brought_as_it_came() -> None:
    options = {"salvage": True, "version": "ccf 2017", "told": {"doi": "10.5281/zenodo.1"}}
    line = brings("ecephys.session/1", "/My data/it's.nwb", ["spikes", "units"], options)
    assert shlex.split(line) == [
        "brainlake", "ingest", "/My data/it's.nwb", "--only", "spikes,units", "--salvage", "--set", "version=ccf 2017",
    ]  # fmt: skip
    assert brings("ecephys.session/1", "/data/1.nwb", ["spikes"], {"salvage": False}) == (
        "brainlake ingest /data/1.nwb --only spikes"
    )


def test_rows_that_somebody_wrote_come_from_them() -> None:
    assert brings("table/lab.labels", "table:lab.labels", ["rows"], {}) == "brainlake write FILE --as lab.labels"
