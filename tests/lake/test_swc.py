"""SWC files on the command line: checked with an exit code, and written from an answer."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import brainlake
import pytest
from brainlake.ingest.contract import Source
from brainlake.ingest.swc_text import read_swc
from brainlake.lake import cli
from brainlake.lake.swc import check_swc
from brainlake.tests.fixtures.swc import BROKEN, MARKERS, SMALL, random_neuron, swc, swc_lines, write_swc

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command: exit code, standard output, standard error."""

    def run_command(*arguments: object) -> tuple[int, str, str]:
        capfd.readouterr()
        code = cli.run(["--lake", str(tmp_path / "lake"), *map(str, arguments)])
        sys.stdout.flush()
        out, err = capfd.readouterr()
        return code, out, err

    return run_command


def test_a_sound_file_passes(run: Run, tmp_path: Path) -> None:
    path = write_swc(tmp_path / "cell.swc")
    assert run("validate-swc", path) == (0, f"PASS {path}\n", "")


def test_one_file_that_fails_fails_all_and_says_why(run: Run, tmp_path: Path) -> None:
    sound = write_swc(tmp_path / "sound.swc")
    orphan = write_swc(tmp_path / "orphan.swc", swc(BROKEN["internal", "parents_exist"]))
    markers = write_swc(tmp_path / "markers.swc", MARKERS)
    code, out, err = run("validate-swc", sound, orphan, markers, tmp_path / "none.swc")
    assert (code, err) == (1, "")
    lines = out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [
        f"PASS {sound}", f"FAIL {orphan}", f"FAIL {markers}", f"FAIL {tmp_path / 'none.swc'}",
    ]  # fmt: skip
    assert "    error, internal parents_exist: 1 nodes name a parent that is not there (first: node 16)" in lines
    assert any(line.startswith("    line 2: has commas") for line in lines)
    assert any("cannot be opened" in line for line in lines)


def test_rules_are_chosen_and_warnings_pass(run: Run, tmp_path: Path) -> None:
    path = write_swc(tmp_path / "cell.swc", swc(BROKEN["internal", "ids_consecutive"]))
    assert run("validate-swc", path, "--rules", "public")[0] == 0  # it renumbers
    assert run("validate-swc", path, "--rules", "internal")[0] == 1
    pieces = write_swc(tmp_path / "pieces.swc", swc(BROKEN["internal", "one_root"]))
    code, out, _ = run("validate-swc", pieces)
    assert code == 0
    assert "warning, internal one_root" in out


def test_what_a_strict_reader_refuses_is_an_error_of_the_public_rules(tmp_path: Path) -> None:
    path = write_swc(tmp_path / "tabs.swc", "\n".join(swc_lines(SMALL, "\t")))
    assert [f.rule for f in check_swc(path, "public")] == ["one_blank_between_fields"]
    assert check_swc(path, "internal") == []


def test_an_answer_becomes_an_swc_file(run: Run, tmp_path: Path) -> None:
    """Question 16: the axon cut to a stump, and thinned; sound, and the same when read again."""
    tree = random_neuron(4, n_nodes=300)
    source = write_swc(tmp_path / "specimen_5/reconstruction.swc", swc(tree))
    brainlake.create(tmp_path / "lake").close()
    assert run("ingest", source)[0] == 0
    out = tmp_path / "whole.swc"
    assert run("sql", "from morphology.nodes_of(5)", "-o", out)[0] == 0
    again = read_swc(Source(out, str(out)))
    assert list(again.x) == [node[2] for node in tree]
    assert list(again.parents) == [max(node[6] - 1, -1) for node in tree]

    stump = """with stumps as (
        select morphology_id, morphology.sparsify(morphology.stumpify_axon(nodes, 3), 4) as nodes
        from morphology.node_lists)
        from morphology.nodes_in('stumps')"""
    assert run("sql", stump, "-o", tmp_path / "stump.swc")[0] == 0
    thin = read_swc(Source(tmp_path / "stump.swc", ""))
    assert list(thin.types).count(2) <= 3
    assert len(thin) < 200
    assert run("validate-swc", tmp_path / "stump.swc", "--rules", "internal")[0] == 0


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("select 1 as a", "needs a column node_id"),
        ("from morphology.nodes", "several reconstructions"),
        ("select * exclude (morphology_id) from morphology.nodes", "a node_id twice"),
    ],
)
def test_what_is_no_one_reconstruction_is_not_written(run: Run, tmp_path: Path, query: str, reason: str) -> None:
    brainlake.create(tmp_path / "lake").close()
    assert run("ingest", write_swc(tmp_path / "a.swc"), write_swc(tmp_path / "b.swc", swc(SMALL[:9])))[0] == 0
    code, _, err = run("sql", query, "-o", tmp_path / "out.swc")
    assert code == 1
    assert reason in err
    assert not (tmp_path / "out.swc").exists()
