"""A served lake under load for some seconds; ``python -m benchmarks.serve_load`` does it for as long as one likes."""

from __future__ import annotations

from pathlib import Path

from brainlake.benchmarks.serve_load import load


def test_every_answer_is_right_and_of_one_snapshot_while_clients_die_and_a_writer_commits(tmp_path: Path) -> None:
    report = load(tmp_path / "lake", seconds=8, clients=16)
    assert report.wrong == []
    assert report.commits >= 3
    assert report.killed >= 1
    assert set(report.answers) >= {"simple", "prepared"}
