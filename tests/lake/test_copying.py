"""A lake from a lake: everything, a snapshot, or a subset that is a lake of its own; whole or not at all."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import brainlake
import polars as pl
import pytest
from brainlake.lake import copied_files
from brainlake.lake.cli import run
from brainlake.lake.errors import BrainlakeError, CatalogError, DamageError, QueryError, UnknownError
from brainlake.tests.fixtures.allen_ecephys import make_probe_lfp, make_session
from brainlake.tests.fixtures.cell_types_lake import make_everything
from brainlake.tests.fixtures.project_tables import make_project_tables
from brainlake.tests.fixtures.swc import random_neuron, swc

ONE, OTHER = 715093703, 791319847
CHOSEN = f"session_id = {ONE}"
# A question of each kind of table: partitioned and not, with the session's id and without, of the file and beyond.
QUESTIONS = (
    "select unit_id, snr, structure_acronym, peak_channel_id from ecephys.units where session_id = {s} order by all",
    "select unit_id, count(*) as n, min(spike_time) as first from ecephys.spikes where session_id = {s} group by all order by all",
    "select channel_id, probe_id, structure_acronym from ecephys.channels where session_id = {s} order by all",
    "select * from ecephys.stimulus_presentations where session_id = {s} order by all",
    "select m.* exclude (ingest_id) from ecephys.published_unit_metrics as m join ecephys.units as u using (unit_id) "
    "where u.session_id = {s} order by all",
    "select label from lab.labels join ecephys.units using (unit_id) where session_id = {s} order by all",
    "select note from lab.notes where session_id = {s} order by all",
    "select path, neurodata_type from nwb.objects join nwb.files using (file_id) where file_name like '%{s}%' order by all",
)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    truths = [
        make_session(folder / f"{s}.nwb", session_id=s, seed=n, n_spikes=1_000) for n, s in enumerate((ONE, OTHER))
    ]
    make_probe_lfp(folder / "lfp.nwb", truths[0])
    make_project_tables(folder, truths)
    return folder


@pytest.fixture(scope="module")
def source(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("lakes") / "lake"
    with brainlake.create(root) as lake:
        lake.ingest(files, with_parts=["lfp"]).raise_failed()
        units = lake.sql("select unit_id, session_id from ecephys.units where session_id is not null").pl()
        lake.write("lab.labels", units.select("unit_id", label=pl.col("session_id").cast(str)), key="unit_id")
        lake.write("lab.notes", pl.DataFrame({"session_id": [ONE, OTHER], "note": ["first", "second"]}))
        lake.tag("submitted")
        lake.write("lab.notes", pl.DataFrame({"session_id": [ONE, OTHER], "note": ["third", "fourth"]}))
    return root


@pytest.fixture
def lake(source: Path) -> Iterator[brainlake.Lake]:
    with brainlake.open(source) as opened:
        yield opened


def rows(lake: brainlake.Lake, question: str, session: int = ONE) -> list[tuple]:
    return lake.sql(question.format(s=session)).pl().rows()


def bytes_below(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.parquet"))


def test_a_copy_has_all_of_the_history(lake, tmp_path):
    done = lake.copy(tmp_path / "copy")
    with brainlake.open(tmp_path / "copy") as copy:
        assert copy.snapshot == lake.snapshot == done.snapshot_id
        assert copy.snapshots().pl().equals(lake.snapshots().pl())
        assert copy.sql("from lake.ingests").pl().equals(lake.sql("from lake.ingests").pl())
        assert copy.at("submitted").sql("select note from lab.notes order by all").pl()["note"].to_list() == [
            "first", "second",
        ]  # fmt: skip
        for question in QUESTIONS:
            assert rows(copy, question) == rows(lake, question) != []
        assert copy.check(deep=True) == []
    assert bytes_below(tmp_path / "copy") == bytes_below(lake.path / "data")


def test_a_copy_of_a_snapshot_has_no_history(lake, tmp_path):
    lake.copy(tmp_path / "copy", snapshot="submitted")
    with brainlake.open(tmp_path / "copy") as copy:
        assert copy.sql("select note from lab.notes order by all").pl()["note"].to_list() == ["first", "second"]
        assert copy.snapshots().pl().select("tags").rows() == [("submitted",)]
        assert copy.at("submitted").snapshot == copy.snapshot
        assert copy.check(deep=True) == []
        copy.write("lab.notes", {"session_id": [ONE], "note": ["after"]})
        assert copy.sql("select note from lab.notes").one().note == "after"


def test_a_subset_answers_what_is_about_it_as_the_whole_does(lake, tmp_path):
    done = lake.copy(tmp_path / "part", where=CHOSEN)
    with brainlake.open(tmp_path / "part") as part:
        for question in QUESTIONS:
            assert rows(part, question) == rows(lake, question) != [], question
            assert rows(part, question, OTHER) == [] != rows(lake, question, OTHER), question
        assert part.check(deep=True) == []
        lfp = "select count(*) as n from ecephys.lfp_chunks where session_id = $s"
        assert part.sql(lfp, {"s": ONE}).one().n == lake.sql(lfp, {"s": ONE}).one().n > 0
        assert part.snapshots().pl().height == 1
    assert done.values == {"session_id": (ONE,)}
    assert f"ecephys.session/{ONE}" in done.whole
    assert f"ecephys.session/{OTHER}" in done.left
    assert "ecephys.project/units" in done.partial
    assert bytes_below(tmp_path / "part") < 0.7 * bytes_below(lake.path / "data")


def test_a_subset_knows_its_sources(lake, files, tmp_path):
    """What came whole is not read again; what came in part is replaced by the whole; the rest is ingested."""
    lake.copy(tmp_path / "part", where=CHOSEN)
    with brainlake.open(tmp_path / "part") as part:
        names = (f"{ONE}.nwb", "lfp.nwb", "units.csv", f"{OTHER}.nwb")
        report = part.ingest([files / name for name in names], with_parts=["lfp"])
        assert [item.status for item in report.items] == ["unchanged", "ingested", "replaced", "ingested"] or [
            item.status for item in report.items
        ] == ["unchanged", "unchanged", "replaced", "ingested"]
        n = "select count(*) as n from ecephys.project_units"
        assert part.sql(n).one().n == lake.sql(n).one().n
        assert part.ingest(files / "units.csv").items[0].status == "unchanged"


def test_parts_of_a_subset_count_what_is_there(lake, tmp_path):
    lake.copy(tmp_path / "part", where=CHOSEN)
    with brainlake.open(tmp_path / "part") as part:
        told = (
            part.sql("select sum(n_rows)::bigint as n from lake.parts where subject = 'ecephys.project/units'").one().n
        )
        assert told == part.sql("select count(*) as n from ecephys.project_units").one().n
        assert told < lake.sql("select count(*) as n from ecephys.project_units").one().n


def test_tables_of_files_come_with_their_sources(lake, tmp_path):
    """DynamicTables of an NWB file, each a file of its own."""
    lake.copy(tmp_path / "part", where=CHOSEN)
    with brainlake.open(tmp_path / "part") as part:
        names = {(one.subject, one.name) for one in part.catalog.state().attachments}
        assert names == {(s, n) for s, n in _attached(lake) if str(OTHER) not in s} != set()
        subject, name = min(names)
        table = f"from nwb_table('{name}', '{subject}')"
        assert part.sql(table).arrow().equals(lake.sql(table).arrow())


def _attached(lake: brainlake.Lake) -> set[tuple[str, str]]:
    return {(one.subject, one.name) for one in lake.catalog.state().attachments}


def test_programs_that_know_ducklake_alone_read_a_subset(lake, tmp_path, monkeypatch):
    pdl, sdk = pytest.importorskip("polars_ducklake"), pytest.importorskip("ducklake")
    lake.copy(tmp_path / "part", where=CHOSEN)
    root = tmp_path / "part"
    monkeypatch.chdir(root)
    catalog, data = f"sqlite:///{root}/catalog.sqlite", f"{root}/data/"
    for table, columns in (
        ("ecephys.project_units", ["unit_id", "peak_channel_id"]),  # written anew
        ("ecephys.nwb_units", ["session_id", "unit_id", "cluster_id"]),  # files of the source
        ("lab.labels", ["unit_id", "label"]),
    ):
        with brainlake.open(root) as part:
            expected = part.sql(f"select {', '.join(columns)} from {table} order by all").pl().rows()
        assert (
            sorted(pdl.scan_ducklake(catalog, table, data_path=data).select(columns).collect().rows()) == expected != []
        )
        read = sdk.connect(catalog).table(tuple(table.split("."))).read_polars()
        assert sorted(read.select(columns).rows()) == expected


def test_a_copy_is_of_one_moment_while_others_write(source, tmp_path):
    """Every write puts a number into two tables by two commits, the second never ahead of the first."""
    shutil.copytree(source, tmp_path / "lake")
    stop = threading.Event()

    def write() -> None:
        with brainlake.open(tmp_path / "lake") as lake:
            for n in itertools.count(1):
                lake.write("lab.first", {"n": [n]})
                lake.write("lab.second", {"n": [n]})
                if stop.is_set():
                    return

    with brainlake.open(tmp_path / "lake") as lake:
        lake.write("lab.first", {"n": [0]})
        lake.write("lab.second", {"n": [0]})
        writer = threading.Thread(target=write)
        writer.start()
        try:
            for n in range(6):
                lake.copy(tmp_path / f"{n}", where=CHOSEN if n % 2 else ())
        finally:
            stop.set()
            writer.join()
    for n in range(6):
        with brainlake.open(tmp_path / f"{n}") as copy:
            first, second = (copy.sql(f"select n from lab.{table}").one().n for table in ("first", "second"))
            assert first - second in (0, 1)
            assert [f for f in copy.check() if f.kind != "stale"] == []


def test_conditions_may_ask(lake, tmp_path):
    """A condition is SQL over what is in the lake, and several choose together."""
    asked = "session_id in (select session_id from lab.notes where note = 'third')"
    assert lake.copy(tmp_path / "a", where=asked).values == {"session_id": (ONE,)}
    both = lake.copy(tmp_path / "b", where=[CHOSEN, f"session_id = {OTHER}"])
    assert both.values == {"session_id": (ONE, OTHER)}
    with brainlake.open(tmp_path / "b") as copy:
        for question in QUESTIONS:
            assert rows(copy, question, OTHER) == rows(lake, question, OTHER)


def test_what_is_asked_for_besides_comes_whole(lake, tmp_path):
    lake.copy(tmp_path / "part", where=CHOSEN, also=["lab"])
    with brainlake.open(tmp_path / "part") as part:
        assert rows(part, "select note from lab.notes order by all") == rows(
            lake, "select note from lab.notes order by all"
        )
        n = "select count(*) as n from lab.labels"
        assert part.sql(n).one().n == lake.sql(n).one().n


@pytest.mark.parametrize(
    ("where", "error", "told"),
    [
        ("session_id = 1", UnknownError, rf"chooses nothing: there are session_id {ONE}"),
        ("unit_id = 1", QueryError, "names unit_id; it is about one of data_set_id"),
        ("session_id = 1 or specimen_id = 2", QueryError, "repeat --where for several"),
        ("1 = 1", QueryError, "names no column"),
        ("session_id = ", QueryError, "--where session_id = "),
        ("session_id in (select 1); drop table x", QueryError, "--where"),
    ],
)
def test_a_condition_that_is_none_is_told(lake, tmp_path, where, error, told):
    with pytest.raises(error, match=told):
        lake.copy(tmp_path / "part", where=where)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_written_over(lake, tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").write_text("mine")
    with pytest.raises(CatalogError, match="is there already"):
        lake.copy(tmp_path / "there")
    assert [p.name for p in (tmp_path / "there").iterdir()] == ["file"]
    (tmp_path / "empty").mkdir()
    lake.copy(tmp_path / "empty")  # an empty directory is a place


@pytest.mark.parametrize("where", [(), CHOSEN])
def test_a_copy_that_fails_leaves_nothing(lake, tmp_path, where, monkeypatch):
    """At any of its files."""
    n_files = lake.copy(tmp_path / "all", where=where).n_files
    shutil.rmtree(tmp_path / "all")
    take = copied_files._take
    for failing in sorted({0, n_files // 2, 3}):
        counted = iter(range(10_000))

        def fail(*given, failing=failing, counted=counted):
            if next(counted) == failing:
                raise OSError(28, "No space left on device")
            return take(*given)

        monkeypatch.setattr(copied_files, "_take", fail)
        with pytest.raises(CatalogError, match="disk is full"):
            lake.copy(tmp_path / "copy", where=where)
        assert list(tmp_path.iterdir()) == []


def test_a_killed_copy_is_gone_on_with(lake, tmp_path):
    program = f"""
import os, brainlake
from brainlake.lake import copying
seal = copying._seal
copying._seal = lambda draft: os.kill(os.getpid(), 9)
brainlake.open({str(lake.path)!r}).copy({str(tmp_path / "copy")!r})
"""
    assert subprocess.run([sys.executable, "-c", program]).returncode == -9
    assert [p.name for p in tmp_path.iterdir()] == [".copy.copying"]
    before = {p.name: p.stat().st_ino for p in tmp_path.rglob("*.parquet")}
    victim = next(iter(tmp_path.rglob("*.parquet")))
    victim.chmod(0o644)
    victim.write_bytes(b"cut")
    (tmp_path / ".copy.copying" / "data" / "left.parquet").write_bytes(b"of another try")
    lake.copy(tmp_path / "copy")
    after = {p.name: p.stat().st_ino for p in tmp_path.rglob("*.parquet")}
    assert {name for name, inode in after.items() if before[name] == inode} >= before.keys() - {victim.name}
    with brainlake.open(tmp_path / "copy") as copy:
        assert copy.check(deep=True) == []
    assert [p.name for p in tmp_path.iterdir()] == ["copy"]


def test_a_file_that_rotted_is_not_passed_on(source, tmp_path):
    shutil.copytree(source, tmp_path / "lake")
    path = next(iter((tmp_path / "lake" / "data" / "ecephys" / "spike_trains").rglob("*.parquet")))
    path.chmod(0o644)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with brainlake.open(tmp_path / "lake") as lake, pytest.raises(DamageError, match=r"SHA-256 differs.*check --deep"):
        lake.copy(tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_linked_files_are_one_on_disk_and_two_lakes(lake, tmp_path):
    if lake.path.stat().st_dev != tmp_path.stat().st_dev:
        pytest.skip("the temporary folders are on several file systems")
    done = lake.copy(tmp_path / "copy", link=True)
    assert done.n_linked == done.n_files > 0
    with brainlake.open(tmp_path / "copy") as copy:
        copy.forget(f"ecephys.session/{ONE}")
        copy.write("lab.notes", {"session_id": [1], "note": ["of the copy"]})
        copy.check(repair=True)
    assert lake.check(deep=True) == []
    assert rows(lake, QUESTIONS[0]) != []


def test_a_lake_is_moved_by_moving_its_directory(source, lake, tmp_path):
    shutil.copytree(source, tmp_path / "a" / "lake")
    os.rename(tmp_path / "a" / "lake", tmp_path / "b")
    with brainlake.open(tmp_path / "b") as moved:
        for question in QUESTIONS:
            assert rows(moved, question) == rows(lake, question)
        moved.write("lab.notes", {"session_id": [ONE], "note": ["elsewhere"]})
        assert moved.check(deep=True) == []


def test_the_command_tells_what_was_taken_and_what_left(source, tmp_path, capsys):
    arguments = ["--lake", str(source), "copy", str(tmp_path / "part"), "--where", CHOSEN, "--with", "lab"]
    assert run(arguments) == 0
    told = capsys.readouterr().out
    assert f"session_id: {ONE}\n" in told
    assert f"left: ecephys.session/{OTHER}\n" in told
    assert f"to {tmp_path / 'part'}" in told
    assert run(["--lake", str(source), "copy", str(tmp_path / "part")]) == 1
    assert run(["--lake", str(source), "--at", "submitted", "copy", str(tmp_path / "old")]) == 0
    with brainlake.open(tmp_path / "old") as copy:
        assert sorted(copy.sql("select note from lab.notes").pl()["note"]) == ["first", "second"]


def test_a_copy_inside_of_the_lake_is_refused(lake):
    with pytest.raises(BrainlakeError, match="inside of the lake"):
        lake.copy(lake.path / "data" / "copy")


def test_a_subset_of_one_cell_has_its_sweeps_features_models_and_reconstruction(tmp_path):
    """Its reconstruction tells its cell by the file's name alone."""
    cell = 464212183
    make_everything(tmp_path / "files")
    folder = tmp_path / "files" / f"specimen_{cell}"
    (folder / "reconstruction.swc").write_text(swc(random_neuron(3)))
    (folder / "reconstruction.marker").unlink()
    with brainlake.create(tmp_path / "lake") as lake:
        lake.ingest(tmp_path / "files").raise_failed()
        done = lake.copy(tmp_path / "part", where=f"specimen_id = {cell}")
        with brainlake.open(tmp_path / "part") as part:
            for question in (
                f"select sweep_number, stimulus_name from icephys.sweeps where specimen_id = {cell} order by all",
                f"select * exclude (ingest_id) from icephys.csv_ephys_features where specimen_id = {cell}",
                f"select neuronal_model_id from models.glif_configs where specimen_id = {cell} order by all",
                f"""select n.* exclude (ingest_id) from morphology.swc_nodes as n
                    join morphology.swc_files as f using (morphology_id) where f.named_specimen_id = {cell}""",
            ):
                assert rows(part, question) == rows(lake, question) != [], question
            others = "select count(*) as n from icephys.stored_traces where specimen_id != $cell"
            assert part.sql(others, {"cell": cell}).one().n == 0 < lake.sql(others, {"cell": cell}).one().n
            assert part.check(deep=True) == []
    assert f"icephys.cell/{cell}" in done.whole
    assert "icephys.cell_types/ephys_features" in done.partial
