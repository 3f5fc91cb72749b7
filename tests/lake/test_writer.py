"""Rows to commits: all or nothing, replaced not doubled, checked as declared."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from brainlake.lake import writer as writer_module
from brainlake.lake.catalog import Catalog
from brainlake.lake.errors import CatalogError, DoubledKeyError, SpecError, UnknownError
from brainlake.lake.folding import compact
from brainlake.lake.forgetting import forget
from brainlake.lake.parquet import check_order
from brainlake.lake.spec import Column, TableSpec, boolean
from brainlake.lake.writer import Committed, IngestWriter, write_user_table


@pytest.fixture
def catalog(tmp_path):
    return Catalog.create(tmp_path / "lake")


def writer(catalog: Catalog, subject: str = "ecephys.session/1", **changes: Any) -> IngestWriter:
    facts = {
        "role": "session_nwb", "source_url": f"{subject}.nwb", "source_size": 10, "source_sha256": "00",
        "reader": "nwb", "reader_version": "1", "options": {}, "parts": ["units", "spikes"],
    }  # fmt: skip
    return IngestWriter(catalog, subject=subject, **{**facts, **changes})


def trains(session: int, units: list[int], block: int = 0, spikes: int = 3) -> dict[str, Any]:
    ticks = pa.array([list(range(i, i + spikes)) for i, _ in enumerate(units)], pa.list_(pa.int64()))
    return {
        "session_id": session, "time_block": block, "unit_id": units, "n_spikes": spikes, "clock_rate": 30000.0,
        "clock_shift": 0.0, "spike_ticks": ticks,
    }  # fmt: skip


def commit(catalog: Catalog, rows: dict[str, list[dict[str, Any]]], **facts: Any) -> Committed:
    with writer(catalog, **facts) as out:
        for table, pieces in rows.items():
            for piece in pieces:
                out.write(table, piece)
        return out.commit(available={"lfp": 1000})


def read(catalog: Catalog, table: str, snapshot: int | None = None) -> pa.Table:
    files = catalog.state(snapshot).tables[table].files
    tables = [pq.read_table(catalog.root / f.path, partitioning=None) for f in files]
    return pa.concat_tables(tables) if tables else pa.table({})


def on_disk(catalog: Catalog) -> set[str]:
    return {p.relative_to(catalog.root).as_posix() for p in (catalog.root / "data").rglob("*.parquet")}


def test_rows_of_several_tables_appear_together(catalog):
    layers = {"unit_id": [1, 2], "cortical_depth": [0.5, np.nan], "cortical_layer": [4, None]}
    done = commit(catalog, {"ecephys.spike_trains": [trains(7, [1, 2])], "ecephys.unit_layers": [layers]})
    assert done.n_rows == {"ecephys.spike_trains": 2, "ecephys.unit_layers": 2}
    assert done.replaced is None
    spikes = read(catalog, "ecephys.spike_trains")
    assert spikes["spike_ticks"].to_pylist() == [[0, 1, 2], [1, 2, 3]]
    assert spikes["ingest_id"].to_pylist() == [done.ingest_id] * 2
    # NaN is no measurement: it becomes NULL (DuckDB would sort it above every number)
    assert read(catalog, "ecephys.unit_layers")["cortical_depth"].to_pylist() == [0.5, None]
    assert [f.path.split("/")[3] for f in catalog.state().tables["ecephys.spike_trains"].files] == ["session_id=7"]


def test_files_are_immutable_and_carry_field_ids(catalog):
    commit(catalog, {"ecephys.spike_trains": [trains(7, [1])]})
    path = catalog.root / catalog.state().tables["ecephys.spike_trains"].files[0].path
    assert path.stat().st_mode & 0o777 == 0o444
    schema = pq.read_schema(path)
    assert schema.field("unit_id").metadata[b"PARQUET:field_id"] == b"3"
    assert schema.field("spike_ticks").type.value_field.metadata[b"PARQUET:field_id"] == b"2007"


def test_a_second_ingest_of_a_subject_and_role_replaces_the_first(catalog):
    first = commit(catalog, {"ecephys.spike_trains": [trains(7, [1, 2])]})
    second = commit(catalog, {"ecephys.spike_trains": [trains(7, [1, 2, 3])]})
    assert second.replaced == first.ingest_id
    assert read(catalog, "ecephys.spike_trains")["unit_id"].to_pylist() == [1, 2, 3]
    assert read(catalog, "ecephys.spike_trains", first.snapshot_id)["unit_id"].to_pylist() == [1, 2]


def test_a_key_that_another_live_ingest_holds_is_refused_naming_both(catalog):
    commit(catalog, {"ecephys.spike_trains": [trains(7, [1, 2])]}, subject="ecephys.session/7")
    before = on_disk(catalog)
    with pytest.raises(DoubledKeyError, match=r"copy\.nwb.*unit_id 2.*ecephys\.session/7\.nwb"):
        commit(catalog, {"ecephys.spike_trains": [trains(7, [2, 3])]}, subject="x", source_url="copy.nwb")
    assert on_disk(catalog) == before
    # the same unit in another partition, or another block of it, is another key
    commit(catalog, {"ecephys.spike_trains": [trains(8, [2])]}, subject="y")
    commit(catalog, {"ecephys.spike_trains": [trains(7, [2], block=1)]}, subject="z")


def test_a_key_held_twice_within_one_ingest_is_refused(catalog):
    with pytest.raises(DoubledKeyError, match="unit_id 2"):
        commit(catalog, {"ecephys.unit_layers": [{"unit_id": [2, 1]}, {"unit_id": [2]}]})
    assert on_disk(catalog) == set()


def test_what_is_not_as_declared_is_refused_and_leaves_nothing(catalog):
    for rows, message in [
        ({"ecephys.unit_layers": [{"unit_id": [None]}]}, "may not be NULL"),
        ({"ecephys.unit_layers": [{"unit_id": ["a"]}]}, "unit_id"),
        ({"ecephys.unit_layers": [{"unit_id": [1], "spin": [2]}]}, "no column spin"),
        ({"ecephys.unit_layers": [{"unit_id": [1], "cortical_depth": [1.0, 2.0]}]}, "different lengths"),
        ({"ecephys.spike_trains": [trains(7, [2, 1])]}, "declared order"),
        ({"ecephys.spike_trains": [trains(7, [2]), trains(7, [1])]}, "declared order"),
        ({"ecephys.spike_trains": [trains(7, [1]), trains(8, [1]), trains(7, [2])]}, "one after the other"),
    ]:
        with pytest.raises(SpecError, match=message):
            commit(catalog, rows)
    assert on_disk(catalog) == set()
    assert catalog.latest() == 0


def test_row_groups_end_by_list_elements(catalog):
    pieces = [trains(7, [u], spikes=60_000) for u in range(1, 6)]
    commit(catalog, {"ecephys.spike_trains": pieces})
    file = pq.ParquetFile(catalog.root / catalog.state().tables["ecephys.spike_trains"].files[0].path)
    rows = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
    assert rows == [2, 2, 1]  # 131,072 elements hold two units of 60,000
    encodings = {
        file.metadata.row_group(0).column(i).path_in_schema: file.metadata.row_group(0).column(i).encodings
        for i in range(file.metadata.num_columns)
    }
    assert "DELTA_BINARY_PACKED" in encodings["spike_ticks.list.element"]


def test_forgetting_takes_out_one_subject_also_from_shared_files(catalog):
    commit(catalog, {"ecephys.unit_layers": [{"unit_id": [1]}]}, subject="a")
    commit(catalog, {"ecephys.unit_layers": [{"unit_id": [2]}]}, subject="b")
    forget(catalog, "a")
    assert read(catalog, "ecephys.unit_layers")["unit_id"].to_pylist() == [2]
    with pytest.raises(UnknownError):
        forget(catalog, "a")


def test_parts_say_what_is_here_and_what_the_source_still_holds(catalog):
    commit(catalog, {"ecephys.spike_trains": [trains(7, [1])]})
    parts = catalog.state().relations["lake.parts"]().select(["part", "state", "n_rows", "source_bytes"]).to_pylist()
    assert parts == [
        {"part": "lfp", "state": "available", "n_rows": 0, "source_bytes": 1000},
        {"part": "spikes", "state": "present", "n_rows": 1, "source_bytes": None},
    ]


def test_an_ingest_that_fails_on_the_way_leaves_nothing(catalog):
    def source_breaks_off() -> None:
        with writer(catalog) as out:
            out.write("ecephys.spike_trains", trains(7, [1]))
            assert len(on_disk(catalog)) == 1
            raise RuntimeError

    with pytest.raises(RuntimeError):
        source_breaks_off()
    assert on_disk(catalog) == set()


def test_an_interrupt_after_the_commit_takes_nothing_back(catalog, monkeypatch):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(writer_module, "Committed", interrupted)  # made when the commit is
    with pytest.raises(KeyboardInterrupt):
        commit(catalog, {"ecephys.spike_trains": [trains(7, [1])]})
    assert read(catalog, "ecephys.spike_trains")["unit_id"].to_pylist() == [1]


def test_a_refused_replacement_leaves_no_rewritten_file_behind(catalog):
    for subject, unit in (("a", 1), ("b", 2), ("c", 3)):
        commit(catalog, {"ecephys.unit_layers": [{"unit_id": [unit]}]}, subject=subject)
    compact(catalog)
    before, snapshot = on_disk(catalog), catalog.latest()
    with pytest.raises(DoubledKeyError, match="unit_id 3"):
        commit(catalog, {"ecephys.unit_layers": [{"unit_id": [1, 3]}]}, subject="a")
    assert (on_disk(catalog), catalog.latest()) == (before, snapshot)


def test_user_tables_keep_their_types_units_and_keys(catalog):
    schema = pa.schema([pa.field("unit_id", pa.uint32()), pa.field("depth", pa.float32(), metadata={"unit": "um"})])
    write_user_table(catalog, "lab.depths", pa.table([[3, 1], [0.5, None]], schema=schema), ["unit_id"])
    state = catalog.state().tables["lab.depths"]
    assert (state.spec["depth"].unit, state.spec.key) == ("um", ("unit_id",))
    assert read(catalog, "lab.depths")["unit_id"].to_pylist() == [1, 3]
    with pytest.raises(CatalogError, match="lower case"):
        write_user_table(catalog, "Labels", pa.table({"x": [1]}))
    with pytest.raises(CatalogError, match="other engines"):
        write_user_table(catalog, "lab.odd", pa.table({"x": pa.array([1], pa.duration("s"))}))


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full semantics of Linux")
def test_a_full_disk_is_one_clear_error_and_nothing_stays(catalog, small_disk):
    lake = Catalog.create(small_disk / "lake")
    before = lake.latest()
    big = [trains(7, [u], spikes=200_000) for u in range(1, 40)]
    for piece in big:  # incompressible ticks
        values = np.sort(np.random.default_rng(0).integers(0, 1 << 60, 200_000))
        piece["spike_ticks"] = pa.array([values.tolist()], pa.list_(pa.int64()))
    with pytest.raises(CatalogError, match="disk is full"):
        commit(lake, {"ecephys.spike_trains": big})
    assert lake.latest() == before
    assert on_disk(lake) == set()
    assert read(lake, "ecephys.spike_trains").num_rows == 0


@pytest.fixture
def small_disk(tmp_path) -> Path:
    """A file system of 8 MB; needs the right to mount."""
    import subprocess

    folder = tmp_path / "small"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], capture_output=True)
    if done.returncode:
        pytest.skip("mounting a small file system is not allowed here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_flags_have_an_order_too():
    """false before true, NULLs last."""
    spec = TableSpec(
        "lab.flags", "a flag", "flags", (Column(1, "flag", boolean, "a flag", nullable=True),), sort=("flag",)
    )
    rows = pa.table({"flag": [False, True, None]})
    check_order(spec, rows, None)
    with pytest.raises(SpecError, match="declared order"):
        check_order(spec, rows.take([1, 0, 2]), None)
