"""Any NWB 2 file: what it is, its objects, its tables in their own types, its samples."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pyarrow as pa
import pytest
from brainlake.ingest.contract import Attachment, Identity, Part, Report, Rows, Source
from brainlake.ingest.nwb import GENERIC, READER
from brainlake.ingest.nwb_file import NwbFile
from brainlake.ingest.nwb_series import CHUNK_SAMPLES
from brainlake.lake.errors import SourceError
from brainlake.lake.parquet import check_order, to_table
from brainlake.lake.tables import TABLES
from brainlake.tests.fixtures import anything
from brainlake.tests.fixtures.nwb_layout import Column, NwbWriter
from brainlake.tests.fixtures.other_labs import make_other_lab

GENERIC_PARTS = frozenset(part.name for part in GENERIC)


class Read(NamedTuple):
    """What the reader gave: rows by table, typed tables by path, and its report."""

    rows: dict[str, list[dict[str, Any]]]
    tables: dict[str, pa.Table]
    report: Report

    def samples(self, path: str, column: int = 0) -> list[Any]:
        chunks = [r for r in self.rows["nwb.series_chunks"] if (r["path"], r["column_index"]) == (path, column)]
        kind = next(k for k in ("integers", "reals", "texts") if chunks[0][k] is not None)
        return [value for row in chunks for value in row[kind]]


def read(path: Path, parts: frozenset[str] = GENERIC_PARTS, *, salvage: bool = False) -> Read:
    report, given, tables = Report(salvage=salvage), {}, {}
    for piece in READER.read(Source(path, path.name), parts, report):
        if isinstance(piece, Attachment):
            tables[piece.name] = pa.Table.from_batches(piece.batches, piece.schema)
        else:
            given.setdefault(piece.table, []).append(to_table(TABLES[piece.table], piece.columns, ingest_id=1))
    rows = {}
    for name, parts_ in given.items():
        table = pa.concat_tables(parts_)
        if TABLES[name].is_bulk:
            check_order(TABLES[name], table, None)
        rows[name] = table.to_pylist()
    return Read(rows, tables, report)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("nwb") / "anything.nwb"
    anything.make_anything(path)
    return path


@pytest.fixture(scope="module")
def everything(path: Path) -> Read:
    return read(path)


@pytest.fixture
def edited(path: Path, tmp_path: Path) -> Callable[[Callable[[h5py.File], object]], Path]:
    """A copy of the file, changed."""

    def edit(change: Callable[[h5py.File], object]) -> Path:
        copy = tmp_path / "edited.nwb"
        copy.write_bytes(path.read_bytes())
        with h5py.File(copy, "r+") as file:
            change(file)
        return copy

    return edit


# --- the file -----------------------------------------------------------------------------------------------------------


def test_a_file_no_domain_claims_is_about_itself(path: Path) -> None:
    assert READER.identify(Source(path, "x")) == Identity("nwb.file/anything", "nwb")


def test_what_the_file_says_of_itself(everything: Read) -> None:
    (row,) = everything.rows["nwb.files"]
    assert row["identifier"] == "anything"
    assert row["nwb_version"] == "2.6.0"
    assert row["session_description"] == "one of everything: µ, 脑"
    assert row["session_start_time_utc"].isoformat() == "2024-03-01T09:00:00"  # 10:00 at +01:00
    assert row["institution"] == "Institute of Odds and Ends"
    assert row["lab"] == "Lab of lists"
    assert json.loads(row["namespaces"]) == {"ndx-anything": "0.1.0"}


def test_a_copy_elsewhere_has_the_same_ids(path: Path, everything: Read, tmp_path: Path) -> None:
    (tmp_path / "moved.nwb").write_bytes(path.read_bytes())
    moved = read(tmp_path / "moved.nwb", frozenset({"objects"}))
    assert moved.rows["nwb.files"][0]["file_id"] == everything.rows["nwb.files"][0]["file_id"]


def test_only_chosen_parts_are_read_and_all_are_reported(path: Path, everything: Read) -> None:
    some = read(path, frozenset({"tables"}))
    assert set(some.rows) == {"nwb.files", "nwb.tables"}
    assert some.report.available == everything.report.available
    assert {part.name for part in GENERIC if part.default} == {"objects", "tables", "series"}
    assert {r["path"] for r in read(path, frozenset({"images"})).rows["nwb.series_chunks"]} == {"/acquisition/camera"}


def test_inspecting_reports_what_reading_would(path: Path, everything: Read) -> None:
    report = Report()
    READER.inspect(Source(path, "x"), report)
    assert report.available == everything.report.available
    with h5py.File(path) as file:
        assert report.available["images"] == file["acquisition/camera/data"].id.get_storage_size()


# --- objects ------------------------------------------------------------------------------------------------------------


def test_every_object_is_met_once_and_links_say_where_they_lead(path: Path, everything: Read) -> None:
    objects = {row["path"]: row for row in everything.rows["nwb.objects"]}
    names: set[str] = {"/"}
    with h5py.File(path) as file:
        file.visititems_links(lambda name, _: names.add(f"/{name}"))
    assert set(objects) == names
    links = {p: (r["kind"], r["target"]) for p, r in objects.items() if r["kind"].endswith("_link")}
    assert links == {
        "/acquisition/linked/timestamps": ("soft_link", "/acquisition/position/timestamps"),
        "/general/dangling": ("soft_link", "/nowhere"),
        "/general/outside": ("external_link", "other.nwb:/units"),
        "/general/same rig": ("hard_link", "/general/devices/rig"),
        "/general/soft": ("soft_link", "/general/devices/rig"),
    }
    assert any("/general/outside leads to another file" in warning for warning in everything.report.warnings)


def test_types_come_from_the_specifications_in_the_file(everything: Read) -> None:
    objects = {row["path"]: row for row in everything.rows["nwb.objects"]}
    assert objects["/acquisition/temperature"]["neurodata_type"] == "ThermalSeries"
    assert objects["/acquisition/temperature"]["namespace"] == "ndx-anything"
    assert objects["/acquisition/temperature"]["base_types"] == [
        "ThermalSeries", "TimeSeries", "NWBDataInterface", "NWBContainer", "Container",
    ]  # fmt: skip
    assert objects["/scratch/odd"]["base_types"][:2] == ["OddTable", "DynamicTable"]


def test_shapes_types_attributes_and_short_values_of_objects(everything: Read) -> None:
    objects = {row["path"]: row for row in everything.rows["nwb.objects"]}
    assert objects["/scratch/odd/image"]["shape"] == [6, 2, 3]
    assert objects["/scratch/odd/image"]["dtype"] == "float32"
    assert objects["/scratch/odd/span"]["dtype"] == "{idx_start: int32, count: int32, timeseries: reference}"
    assert objects["/general/notes"]["value"] == "grün"
    assert objects["/general/nothing"]["value"] is None
    assert objects["/acquisition/notes/data"]["value"] == '["begin", "", "end"]'
    assert json.loads(objects["/general"]["attributes"]) == {"numbers": [0, 1, 2, 3, 4], "unknown": None}
    assert json.loads(objects["/scratch/odd/region"]["attributes"])["table"] == "/scratch/odd"


# --- tables -------------------------------------------------------------------------------------------------------------


def test_every_kind_of_column_comes_in_its_own_type(everything: Read) -> None:
    table = everything.tables["/scratch/odd"]
    assert {name: str(table.schema.field(name).type) for name in table.schema.names} == {
        "id": "int64",
        "start_time": "double",
        "Color": "string",
        "color_2": "int16",
        "correct": "bool",
        "big": "int64",
        "half": "float",
        "image": "list<item: list<item: float>>",
        "pixels": "list<item: struct<x: int64, y: int64, weight: float>>",
        "span": "struct<idx_start: int32, count: int32, timeseries: string>",
        "source": "string",
        "nested": "list<item: list<item: double>>",
        "tags": "list<item: string>",
        "choice": "string",
        "region": "int64",
    }
    columns = {name: table[name].to_pylist() for name in table.schema.names}
    assert columns["id"] == [10, 11, 12, 13, 14, 15]
    assert columns["start_time"] == [0.0, 1.0, None, 3.0, 4.0, 5.0]  # NaN is NULL
    assert columns["Color"] == ["red", "", "grün", "blue", "red", "red"]
    assert columns["correct"] == [True, False, True, True, False, True]
    assert columns["big"][-1] == (1 << 63) - 1
    assert columns["image"][1] == [[6.0, 7.0, 8.0], [9.0, 10.0, 11.0]]
    assert [len(row) for row in columns["pixels"]] == anything.PIXEL_ROWS
    assert columns["pixels"][2] == [{"x": 2, "y": 0, "weight": 0.5}]
    assert columns["span"][3] == {"idx_start": 3, "count": 1, "timeseries": "/acquisition/position"}
    assert set(columns["source"]) == {"/acquisition/position"}
    assert columns["nested"] == anything.NESTED
    assert columns["tags"] == [[], ["a"], ["a", "b"], [], ["a"], ["a", "b"]]
    assert columns["choice"] == [anything.CHOICES[code] for code in anything.CHOICE_CODES]
    assert columns["region"] == [1, 0, 1, 1, 0, 1]  # row numbers


def test_what_is_no_column_is_not_dropped_silently(everything: Read) -> None:
    (row,) = [row for row in everything.rows["nwb.tables"] if row["path"] == "/scratch/odd"]
    assert row["n_rows"] == 6
    described = {column["name"]: column for column in json.loads(row["columns"])}
    assert described["color"]["stored_as"] == "color_2"
    assert described["region"]["rows_of"] == "/scratch/odd"
    assert described["start_time"]["unit"] == "seconds"
    assert json.loads(row["left_out"]) == {
        "calibration": "no column: 2 for 6 rows; see nwb.objects",
        "choice_elements": "its labels are the values of choice",
    }
    assert any("/scratch/odd/calibration" in warning for warning in everything.report.warnings)


def test_tables_of_tables_and_empty_tables(everything: Read) -> None:
    assert everything.tables["/analysis/aligned/right"].to_pydict() == {"id": [0, 1], "depth": [1.5, 2.5]}
    assert everything.tables["/analysis/aligned"].to_pydict() == {"id": [0, 1]}
    assert everything.tables["/analysis/empty"].num_rows == 0
    assert str(everything.tables["/analysis/empty"].schema.field("depth").type) == "double"


def test_a_long_table_comes_in_batches_of_bounded_size(tmp_path: Path) -> None:
    n = 150_000
    ends = np.cumsum(np.arange(n) % 3)
    with NwbWriter(tmp_path / "long.nwb", identifier="long", nwb_version="2.6.0", gzip=None) as nwb:
        columns = [Column("x", np.arange(n, dtype=np.float64)), Column("y", np.arange(ends[-1]), ends=ends)]
        nwb.table(nwb.file.create_group("scratch"), "long", columns, ids=np.arange(n))
        nwb.scalar(nwb.file, "identifier", "long")
    batches = list(_batches(tmp_path / "long.nwb"))
    assert [b.num_rows for b in batches] == [65_536, 65_536, n - 2 * 65_536]
    table = pa.Table.from_batches(batches)
    assert table["x"].to_numpy().tolist() == list(range(n))
    assert pa.compute.list_flatten(table["y"]).to_pylist() == list(range(ends[-1]))
    assert pa.compute.list_value_length(table["y"]).to_numpy().tolist() == (np.arange(n) % 3).tolist()


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    for piece in READER.read(Source(path, "x"), frozenset({"tables"}), Report()):
        if isinstance(piece, Attachment):
            yield from piece.batches


# --- series -------------------------------------------------------------------------------------------------------------


def test_samples_are_as_stored_and_their_row_says_how_to_convert_them(everything: Read) -> None:
    series = {row["path"]: row for row in everything.rows["nwb.stored_series"]}
    position = series["/acquisition/position"]
    assert (position["unit"], position["conversion"], position["value_offset"]) == ("meters", 0.001, 2.0)
    assert position["shape"] == [300, 3]
    assert [everything.samples("/acquisition/position", c) for c in range(3)] == anything.POSITIONS.T.tolist()
    assert everything.samples("/acquisition/notes") == ["begin", "", "end"]
    assert everything.samples("/acquisition/flags")[:3] == [1, 0, 1]
    assert everything.samples("/acquisition/camera", 7) == anything.IMAGES.reshape(20, -1)[:, 7].tolist()


def test_times_are_stamps_or_a_rate(everything: Read) -> None:
    chunks = {(r["path"], r["column_index"]): r for r in everything.rows["nwb.series_chunks"]}
    stamps = 0.5 + 0.01 * np.arange(300)
    assert chunks["/acquisition/position", 0]["timestamps"] == stamps.tolist()
    assert chunks["/acquisition/position", 1]["timestamps"] is None
    assert chunks["/acquisition/position", 2]["stop_time"] == stamps[-1]
    assert chunks["/acquisition/linked", 0]["timestamps"] == stamps.tolist()  # through the link
    hot = chunks["/acquisition/temperature", 0]
    assert (hot["timestamps"], hot["start_time"], hot["stop_time"]) == (None, 10.0, 10.0 + 299 / 25.0)
    series = {row["path"]: row for row in everything.rows["nwb.stored_series"]}
    assert series["/acquisition/temperature"]["rate"] == 25.0
    assert series["/acquisition/linked"]["timestamps_path"] == "/acquisition/position/timestamps"


def test_bulk_is_by_kind_of_series_and_images_may_be_elsewhere(everything: Read) -> None:
    parts = {row["path"]: row["part"] for row in everything.rows["nwb.stored_series"]}
    assert parts["/acquisition/camera"] == "images"
    assert parts["/acquisition/film"] is None  # its images are in film.avi
    assert parts["/acquisition/temperature"] == "series"


@pytest.mark.parametrize("chunks", [None, (1000, 3), (200_000, 1)])
def test_long_series_come_column_by_column_in_chunks(
    chunks: tuple[int, int] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brainlake.ingest.nwb_series._STRIP_BYTES", 1 << 20)
    monkeypatch.setattr("brainlake.ingest.nwb_series._SLAB_BYTES", 1 << 17)
    data = np.arange(200_000 * 3, dtype=np.float32).reshape(-1, 3)
    with NwbWriter(tmp_path / "long.nwb", identifier="long", nwb_version="2.6.0") as nwb:
        nwb.scalar(nwb.file, "identifier", "long")
        series = nwb.group(nwb.file.create_group("acquisition"), "raw", "core", "ElectricalSeries")
        series.create_dataset("data", data=data, chunks=chunks)
        series.create_dataset("starting_time", data=0.0).attrs["rate"] = 1000.0
    found = read(tmp_path / "long.nwb", frozenset({"lfp"}))
    rows = found.rows["nwb.series_chunks"]
    assert [(r["column_index"], r["chunk"], r["first_sample"]) for r in rows] == [
        (column, chunk, chunk * CHUNK_SAMPLES) for column in range(3) for chunk in range(4)
    ]
    for column in range(3):
        assert found.samples("/acquisition/raw", column) == data[:, column].tolist()


def test_what_a_domain_holds_is_not_stored_twice(tmp_path: Path) -> None:
    make_other_lab(tmp_path / "lab.nwb")
    found = read(tmp_path / "lab.nwb")
    (units,) = [row for row in found.rows["nwb.tables"] if row["path"] == "/units"]
    assert json.loads(units["left_out"]) == {"spike_times": "ecephys.spikes"}
    assert found.tables["/units"].schema.names == ["id", "label", "waveform_snr", "electrodes"]
    assert found.tables["/units"]["electrodes"].to_pylist() == [[0, 1], [2, 3], [4, 5], [6, 7], [0, 1]]
    stored = {row["path"]: row["stored_in"] for row in found.rows["nwb.stored_series"]}
    assert stored == {
        "/processing/behavior/position": "nwb.series_chunks",
        "/processing/ecephys/LFP/lfp": "ecephys.lfp",
    }
    assert {r["path"] for r in found.rows["nwb.series_chunks"]} == {"/processing/behavior/position"}


# --- damage -------------------------------------------------------------------------------------------------------------


def _cut(file: h5py.File, path: str, n: int) -> None:
    values, attributes = file[path][:n], dict(file[path].attrs)
    del file[path]
    file[path] = values
    file[path].attrs.update(attributes)


@pytest.mark.parametrize(
    ("change", "where", "reason"),
    [
        (lambda f: _cut(f, "scratch/odd/tags", 2), "/scratch/odd/tags_index", "ragged index points past the data"),
        (lambda f: _cut(f, "scratch/odd/nested", 3), "/scratch/odd/nested_index", "ragged index points past the data"),
        (lambda f: f["scratch/odd/tags_index"].__setitem__(0, -1), "/scratch/odd/tags_index", "decreases at row 0"),
        (lambda f: f["scratch/odd/tags_index"].__setitem__(2, 0), "/scratch/odd/tags_index", "decreases at row 2"),
        (lambda f: _cut(f, "scratch/odd/Color", 5), "/scratch/odd/Color", "has 5 values, and the table 6 rows"),
        (lambda f: f.__delitem__("scratch/odd/correct"), "/scratch/odd/correct", "should be a column"),
        (lambda f: f["scratch/odd/choice"].__setitem__(0, 9), "/scratch/odd/choice", "none of its 3 elements names"),
        (lambda f: f["scratch/odd/big"].__setitem__(0, 1 << 63), "/scratch/odd/big", "holds 9223372036854775808"),
        (lambda f: _cut(f, "acquisition/position/data", 9), "/acquisition/.*/timestamps", "are 300 for 9 samples"),
    ],
)
def test_inconsistencies_name_the_object_and_salvage_takes_the_rest(
    change: Callable[[h5py.File], object], where: str, reason: str,
    edited: Callable[[Callable[[h5py.File], object]], Path], everything: Read,
) -> None:  # fmt: skip
    path = edited(change)
    with pytest.raises(SourceError, match=rf"^edited\.nwb: {where}: .*{reason}"):
        read(path)
    salvaged = read(path, salvage=True)
    assert len(salvaged.report.skipped) == 1
    assert reason in salvaged.report.skipped[0][1]
    assert len(salvaged.rows["nwb.objects"]) >= len(everything.rows["nwb.objects"]) - 1
    if "odd" in where:
        lost = set(everything.tables["/scratch/odd"].schema.names) - set(salvaged.tables["/scratch/odd"].schema.names)
        assert len(lost) == 1
        (row,) = [row for row in salvaged.rows["nwb.tables"] if row["path"] == "/scratch/odd"]
        assert "damaged: " in json.loads(row["left_out"])[where.split("/")[-1].removesuffix("_index")]
    else:
        lost = {r["path"] for r in everything.rows["nwb.series_chunks"]} - {
            r["path"] for r in salvaged.rows["nwb.series_chunks"]
        }
        assert lost == {"/acquisition/position"}


def test_a_layout_that_a_domain_does_not_expect_is_an_error_of_the_source(
    path: Path, everything: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Baffled:
        name, version, parts = "mystery", "1", (Part("mysteries", "what nobody expected"),)

        def claims(self, nwb: NwbFile) -> bool:
            return True

        def identify(self, nwb: NwbFile) -> None:
            return None

        def inspect(self, nwb: NwbFile, report: Report) -> None:
            report.found("mysteries", 1)

        def read(self, nwb: NwbFile, parts: frozenset[str], report: Report) -> Iterator[Rows]:
            nwb.array("/scratch/odd/tags").astype(float)
            yield from ()

        def owned(self, nwb: NwbFile) -> dict[str, str]:
            return {}

    monkeypatch.setattr("brainlake.ingest.nwb.SECTIONS", (Baffled(),))
    reason = (
        r"/scratch/odd/tags: its mystery data are laid out as nobody expected: ValueError.*--only objects,tables,series"
    )
    with pytest.raises(SourceError, match=reason):
        read(path, GENERIC_PARTS | {"mysteries"})
    salvaged = read(path, GENERIC_PARTS | {"mysteries"}, salvage=True)
    assert salvaged.tables == everything.tables
    assert "laid out as nobody expected" in salvaged.report.skipped[0][1]
    assert read(path).report.available["mysteries"] == 1


def test_a_file_without_identifier_is_refused(edited: Callable[[Callable[[h5py.File], object]], Path]) -> None:
    with pytest.raises(SourceError, match=r"/identifier: is missing"):
        READER.identify(Source(edited(lambda f: f.__delitem__("identifier")), "x"))


def test_a_root_without_attributes_is_known_by_its_layout(
    edited: Callable[[Callable[[h5py.File], object]], Path], everything: Read
) -> None:
    def change(file: h5py.File) -> None:
        for name in list(file.attrs):
            del file.attrs[name]

    path = edited(change)
    assert READER.sniff(Source(path, "x"))
    with NwbFile.open(Source(path, "x")) as nwb:
        assert nwb.is_missing_root
    found = read(path)
    assert found.rows["nwb.files"][0]["nwb_version"] is None
    assert found.tables == everything.tables
