"""Real NWB 2 files of several laboratories, against pynwb where it opens them and plain h5py where it does not."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pytest
from brainlake.ingest.contract import Attachment, Report, Source
from brainlake.ingest.nwb import GENERIC, READER
from brainlake.lake.errors import SourceError
from brainlake.lake.parquet import to_table
from brainlake.lake.tables import TABLES

FILES = [
    "neuropixels/sub-4_ses-4_ecephys+image.nwb",  # NWB 2.4.0
    "icephys/2018_03_20_0005.nwb",  # 2.0b
    "icephys/valid_v2_MIES-NWBv2-0655f7e4.nwb",  # 2.2.0, scalars as lists of one
    "icephys/AB_SweepsFromMultipleDevices-V2.nwb",  # 2.2.4
    "icephys/FergusonEtAl2015_PYR2.nwb",  # 2.2.5
    "ophys/ophys_nwb_test_nwb2.nwb",  # 2.2.5
]
PARTS = frozenset(part.name for part in GENERIC)
Tables = dict[str, pa.Table]


def read(path: Path, *, salvage: bool = False) -> tuple[Tables, Tables, Report]:
    """Rows by table, typed tables by path, the report; generic parts only."""
    report, rows, tables = Report(salvage=salvage), {}, {}
    for piece in READER.read(Source(path, path.name), PARTS, report):
        if isinstance(piece, Attachment):
            tables[piece.name] = pa.Table.from_batches(piece.batches, piece.schema)
        else:
            rows.setdefault(piece.table, []).append(to_table(TABLES[piece.table], piece.columns, ingest_id=1))
    return {name: pa.concat_tables(parts) for name, parts in rows.items()}, tables, report


@pytest.fixture
def pynwb_objects(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], dict[str, Any]]]:
    """Objects by path, as pynwb opens them; the test is skipped where it does not open the file."""
    pynwb = pytest.importorskip("pynwb")
    opened = []

    def objects(path: Path) -> dict[str, Any]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            io = pynwb.NWBHDF5IO(str(path), "r", load_namespaces=True)
            opened.append(io)
            try:
                nwb = io.read()
            except Exception as error:  # whatever it has against the file
                pytest.skip(f"pynwb does not open {path.name}: {error}")
        return {f"/{io.manager.get_builder(o).path}".removeprefix("/root"): o for o in nwb.objects.values()}

    yield objects
    for io in opened:
        io.close()


@pytest.mark.parametrize("name", FILES)
def test_every_table_equals_pynwbs(
    name: str, real_data: Callable[[str], Path], pynwb_objects: Callable[[Path], dict[str, Any]]
) -> None:
    from hdmf.common import DynamicTable

    path = real_data(name)
    rows, tables, _ = read(path)
    expected = {p: o for p, o in pynwb_objects(path).items() if isinstance(o, DynamicTable)}
    assert set(tables) == set(expected)
    left_out = dict(
        zip(rows["nwb.tables"]["path"].to_pylist(), rows["nwb.tables"]["left_out"].to_pylist(), strict=True)
    )
    n_compared = 0
    for table_path, table in tables.items():
        theirs = expected[table_path]
        elsewhere = json.loads(left_out[table_path] or "{}")
        assert table["id"].to_pylist() == list(theirs.id[:])
        # the human recording's tables hold a column (response_time) that they do not declare: pynwb drops it, we do not
        undeclared = set(table.schema.names) - {"id", *theirs.colnames}
        with h5py.File(path) as file:
            datasets = {n for n, item in file[table_path].items() if isinstance(item, h5py.Dataset)}
            held = {n for n in datasets if n.removesuffix("_index") not in theirs.colnames}
        assert undeclared | {"id"} == held
        assert set(theirs.colnames) <= set(table.schema.names) | set(elsewhere)
        for column in theirs.colnames:
            if column not in elsewhere:
                _assert_same(table[column].to_pylist(), theirs, column)
                n_compared += 1
    assert n_compared


def _assert_same(ours: list[Any], table: Any, column: str) -> None:
    """Row by row; a reference is compared by the name it ends with, a region by its row numbers."""
    for row, value in enumerate(ours):
        theirs = _raw(table[column], row)
        theirs = theirs.decode() if isinstance(theirs, bytes) else theirs
        if isinstance(value, str) and not isinstance(theirs, str):
            assert value.rsplit("/", 1)[-1] == theirs.name
        elif value is None:
            assert np.isnan(theirs)
        elif not isinstance(value, list) or not value or not isinstance(value[0], (dict, str)):
            np.testing.assert_array_equal(np.asarray(value), np.asarray(theirs))
        else:
            assert len(value) == len(theirs)


def _raw(column: Any, row: int) -> Any:
    """What a column stores for a row, without following regions to their table."""
    if not hasattr(column, "target"):
        return column.data[row]
    start = int(column.data[row - 1]) if row else 0
    stop = int(column.data[row])
    return [_raw(column.target, i) for i in range(start, stop)]


@pytest.mark.parametrize("name", FILES)
def test_every_series_equals_what_h5py_reads(name: str, real_data: Callable[[str], Path]) -> None:
    path = real_data(name)
    rows, _, _ = read(path)
    stored = rows["nwb.stored_series"].to_pylist()
    # samples of sweeps are kept by another part of the reader: see tests/real/test_icephys_files.py
    chunks = rows["nwb.series_chunks"].to_pylist() if "nwb.series_chunks" in rows else []
    with h5py.File(path) as file:
        for series in stored:
            if series["stored_in"] != "nwb.series_chunks":
                continue
            data = file[series["path"]]["data"][()]
            for column, values in enumerate(data.reshape(len(data), -1).T):
                mine = [c for c in chunks if (c["path"], c["column_index"]) == (series["path"], column)]
                found = [v for c in mine for v in (c["integers"] if c["integers"] is not None else c["reals"])]
                np.testing.assert_array_equal(np.array(found), values)
                if column == 0 and "timestamps" in file[series["path"]]:
                    stamps = [t for c in mine for t in c["timestamps"]]
                    np.testing.assert_array_equal(stamps, file[series["path"]]["timestamps"][()])
            about = file[series["path"]]["data"].attrs
            assert series["conversion"] == pytest.approx(float(np.ravel(about["conversion"])[0]))


@pytest.mark.parametrize("name", FILES)
def test_every_object_is_listed(name: str, real_data: Callable[[str], Path]) -> None:
    path = real_data(name)
    rows, _, _ = read(path)
    names: set[str] = {"/"}
    with h5py.File(path) as file:
        file.visititems_links(lambda name, _: names.add(f"/{name}"))
    assert set(rows["nwb.objects"]["path"].to_pylist()) == names


def test_a_human_recording_has_its_five_tables(real_data: Callable[[str], Path]) -> None:
    _, tables, _ = read(real_data("neuropixels/sub-4_ses-4_ecephys+image.nwb"))
    assert {path: table.num_rows for path, table in tables.items()} == {
        "/general/extracellular_ephys/electrodes": 19,
        "/intervals/encoding_table": 90,
        "/intervals/recognition_table": 180,
        "/intervals/timediscrimination_table": 180,
        "/units": 35,
    }


def test_an_allen_session_cut_to_ten_rows_names_the_index_and_salvage_takes_the_rest(
    real_data: Callable[[str], Path],
) -> None:
    source = Source(real_data("neuropixels/aibs.nwb"), "aibs.nwb")
    parts = frozenset(part.name for part in READER.parts)
    with pytest.raises(SourceError, match=r"units/spike_times_index: ragged index points past the data"):
        list(READER.read(source, parts, Report()))
    rows, tables, report = read(source.path, salvage=True)
    assert not report.skipped  # the spikes are not the generic parts' to read
    assert len(tables) == 14
    left_out = rows["nwb.tables"].filter(pa.compute.equal(rows["nwb.tables"]["path"], "/units"))["left_out"][0].as_py()
    assert json.loads(left_out) == {
        "spike_amplitudes": "ecephys.spikes",
        "spike_times": "ecephys.spikes",
        "waveform_mean": "ecephys.waveforms",
    }


def test_a_probe_file_without_root_attributes_is_read(real_data: Callable[[str], Path]) -> None:
    rows, tables, _ = read(real_data("neuropixels/aibs_ecephys_87channels.nwb"))
    assert rows["nwb.files"]["nwb_version"].to_pylist() == [None]
    electrodes = tables["/general/extracellular_ephys/electrodes"]
    assert electrodes.num_rows == 87
    with h5py.File(real_data("neuropixels/aibs_ecephys_87channels.nwb")) as file:
        location = file["general/extracellular_ephys/electrodes/location"].asstr()[:].tolist()
    assert electrodes["location"].to_pylist() == location
    assert (location.count("VISam"), location.count("grey"), location.count("")) == (20, 52, 15)
    stored = {s["path"].rsplit("/", 1)[1]: s for s in rows["nwb.stored_series"].to_pylist()}
    assert stored["current_source_density"]["shape"] == [875, 384]
    assert stored["probe_769322820_lfp_data"]["shape"] == [10, 87]
