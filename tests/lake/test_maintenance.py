"""Folding, checking, repairing: answers stay, damage is found, orphans go."""

from __future__ import annotations

import dataclasses
import os
from datetime import timedelta

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from brainlake.lake import folding, tables
from brainlake.lake.catalog import Catalog
from brainlake.lake.checking import check, orphans
from brainlake.lake.errors import CatalogError
from brainlake.lake.expiring import expire
from brainlake.lake.folding import compact, fold_small_tables, to_fold
from brainlake.lake.forgetting import forget
from brainlake.lake.mending import repair
from brainlake.lake.records import LiveFile
from brainlake.lake.spec import Column, TableSpec, int32, int64
from brainlake.lake.writer import IngestWriter, writers_lock


@pytest.fixture
def catalog(tmp_path):
    return Catalog.create(tmp_path / "lake")


def ingest(catalog: Catalog, number: int, spec: TableSpec | str = "ecephys.unit_layers", **columns: list) -> int:
    with IngestWriter(
        catalog, subject=f"s/{number}", role="r", source_url=f"{number}.csv", source_size=1, source_sha256="0",
        reader="x", reader_version="1", options={}, parts=["unit_layers"],
    ) as out:  # fmt: skip
        out.write(spec, {"unit_id": [number], **columns})
        return out.commit().ingest_id


def units(catalog: Catalog) -> list[int]:
    files = catalog.state().tables["ecephys.unit_layers"].files
    return sorted(
        u for f in files for u in pq.read_table(catalog.root / f.path, partitioning=None)["unit_id"].to_pylist()
    )


def test_many_small_files_are_folded_and_nothing_is_lost(catalog):
    for number in range(40):
        ingest(catalog, number)
    before = catalog.latest()
    fold_small_tables(catalog)
    assert len(catalog.state().tables["ecephys.unit_layers"].files) < 32
    assert units(catalog) == list(range(40))
    assert len(catalog.state(before).tables["ecephys.unit_layers"].files) == 40
    assert fold_small_tables(catalog) == []


def test_a_table_that_was_folded_before_is_folded_again(catalog):
    """Large files first in the catalogue, small ones first in the choice: their order must not matter."""
    most = 0
    for number in range(40):
        ingest(catalog, number)
        fold_small_tables(catalog, limit=4)
        most = max(most, len(catalog.state().tables["ecephys.unit_layers"].files))
    assert most <= 5
    assert units(catalog) == list(range(40))


def test_folding_rewrites_a_row_a_logarithmic_number_of_times():
    """10,000 one-row ingests, folded whenever more than 32 files are there."""
    files: list[LiveFile] = []
    written = 0
    for number in range(10_000):
        files.append(LiveFile(number, 1, "ecephys.unit_layers", "", 1, 1, None, ""))
        if len(files) > 32:
            folded = to_fold(files, 32)
            rows = sum(file.n_rows for file in folded)
            files = [file for file in files if file not in folded]
            files.append(LiveFile(-number, 1, "ecephys.unit_layers", "", rows, 1, None, ""))
            written += rows
    assert sum(file.n_rows for file in files) == 10_000
    assert written < 10_000 * 13.3  # log2(10,000)


def test_a_subject_can_be_replaced_and_forgotten_inside_a_folded_file(catalog):
    for number in range(4):
        ingest(catalog, number, cortical_layer=[1])
    compact(catalog)
    assert len(catalog.state().tables["ecephys.unit_layers"].files) == 1
    new = ingest(catalog, 2, cortical_layer=[5])
    forget(catalog, "s/0")
    assert units(catalog) == [1, 2, 3]
    rows = [
        row
        for f in catalog.state().tables["ecephys.unit_layers"].files
        for row in pq.read_table(catalog.root / f.path, partitioning=None).to_pylist()
    ]
    assert [(r["unit_id"], r["cortical_layer"]) for r in rows if r["ingest_id"] == new] == [(2, 5)]


def test_check_finds_missing_truncated_and_unknown_files(catalog):
    ingest(catalog, 1)
    ingest(catalog, 2)
    ingest(catalog, 3)
    assert check(catalog, deep=True) == []
    first, second, third = (catalog.root / f.path for f in catalog.state().tables["ecephys.unit_layers"].files)
    first.unlink()
    os.chmod(second, 0o644)
    second.write_bytes(second.read_bytes()[:-5])
    os.chmod(third, 0o644)
    data = bytearray(third.read_bytes())
    data[10:14] = b"\xff\xff\xff\xff"
    third.write_bytes(data)
    stray = catalog.root / "data" / "ecephys" / "stray.parquet"
    stray.write_bytes(b"PAR1")
    shallow = {(f.kind, f.what.split(" ")[0]) for f in check(catalog)}
    assert ("damage", first.relative_to(catalog.root).as_posix()) in shallow
    assert ("damage", second.relative_to(catalog.root).as_posix()) in shallow
    assert ("orphan", "data/ecephys/stray.parquet") in shallow
    deep = {f.what.split(" ")[0] for f in check(catalog, deep=True)}
    assert third.relative_to(catalog.root).as_posix() in deep


def test_repair_removes_orphans_but_never_while_somebody_writes(catalog):
    ingest(catalog, 1)
    stray = catalog.root / "data" / "ecephys" / "stray.parquet"
    stray.write_bytes(b"PAR1")
    who = f" \\(process .*{os.getpid()}" if os.path.exists("/proc/locks") else ""
    with writers_lock(catalog.root), pytest.raises(CatalogError, match=f"others are writing{who}"):
        repair(catalog)
    assert stray.exists()
    assert repair(catalog) == [stray]
    assert orphans(catalog) == []
    assert units(catalog) == [1]


OLD = TableSpec(
    "ecephys.unit_layers",
    "an older declaration",
    "unit_layers",
    (
        Column(1, "unit", int64, "unit"),  # since renamed
        Column(3, "cortical_layer", int32, "layer", None, True),  # since widened; column 2 was added later
    ),
    ("unit",),
    sort=("unit",),
)


def test_rows_of_an_older_declaration_live_on_beside_new_ones(catalog, monkeypatch):
    """Renamed, widened and added columns (design: evolution)."""
    with monkeypatch.context() as past:
        past.setitem(tables.TABLES, OLD.name, OLD)
        with IngestWriter(
            catalog, subject="old", role="r", source_url="old.csv", source_size=1, source_sha256="0", reader="x",
            reader_version="1", options={}, parts=["unit_layers"],
        ) as out:  # fmt: skip
            out.write(OLD, {"unit": [1], "cortical_layer": [4]})
            out.commit()
    ingest(catalog, 2, cortical_depth=[0.5], cortical_layer=[5])
    state = catalog.state().tables["ecephys.unit_layers"]
    assert sorted(f.schema_version for f in state.files) == sorted([OLD.version, state.spec.version])
    assert state.versions[OLD.version].field("unit").type == pa.int64()
    compact(catalog)
    (file,) = catalog.state().tables["ecephys.unit_layers"].files
    rows = pq.read_table(catalog.root / file.path, partitioning=None).select(
        ["unit_id", "cortical_depth", "cortical_layer"]
    )
    assert rows.to_pylist() == [
        {"unit_id": 1, "cortical_depth": None, "cortical_layer": 4},
        {"unit_id": 2, "cortical_depth": 0.5, "cortical_layer": 5},
    ]
    assert dataclasses.replace(OLD).version != tables.TABLES["ecephys.unit_layers"].version


def test_a_fold_that_is_overtaken_while_it_reads_gives_way(catalog, monkeypatch):
    """Somebody forgets and expires one of its files, without grace."""
    for number in range(3):
        ingest(catalog, number)
    read = folding.read_file

    def overtaken(path):
        if catalog.live_ingests("s/1"):
            forget(catalog, "s/1")
            expire(catalog, "1 snapshot", grace=timedelta(0))
        return read(path)

    monkeypatch.setattr(folding, "read_file", overtaken)
    assert compact(catalog) == []
    assert units(catalog) == [0, 2]
    assert check(catalog, deep=True) == []
