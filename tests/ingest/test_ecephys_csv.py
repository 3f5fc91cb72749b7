"""The project tables of the Neuropixels release, in both spellings, become typed rows; wrong cells are named."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from brainlake.ingest.contract import Report, Source
from brainlake.ingest.ecephys_csv import READER
from brainlake.lake.errors import SourceError
from brainlake.lake.tables import TABLES
from brainlake.tests.fixtures.allen_truth import Truth
from brainlake.tests.fixtures.project_tables import ProjectTables, make_project_tables

ALL = frozenset(part.name for part in READER.parts)


def read(path: Path, parts: frozenset[str] = ALL) -> dict[str, list[dict[str, Any]]]:
    """Rows by table, every column in its declared type."""
    found: dict[str, list[dict[str, Any]]] = {}
    for rows in READER.read(Source(path, str(path)), parts, Report()):
        spec = TABLES[rows.table]
        assert isinstance(rows.columns, pa.Table)
        for field in rows.columns.schema:
            assert field.type == spec[field.name].type
        assert {c.name for c in spec if not c.nullable} <= set(rows.columns.column_names)
        found.setdefault(rows.table, []).extend(rows.columns.to_pylist())
    return found


def subject(path: Path) -> str:
    identity = READER.identify(Source(path, str(path)))
    assert identity.role == "project_csv"
    return identity.subject


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> ProjectTables:
    return make_project_tables(tmp_path_factory.mktemp("project"), [Truth()])


@pytest.fixture
def table(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "table.csv"
        path.write_text(text)
        return path

    return write


@pytest.mark.parametrize(
    ("file", "relation", "key"),
    [
        ("sessions", "ecephys.project_sessions", "session_id"),
        ("probes", "ecephys.project_probes", "probe_id"),
        ("channels", "ecephys.project_channels", "channel_id"),
        ("units", "ecephys.project_units", "unit_id"),
    ],
)
def test_every_row_of_a_project_table_arrives_once(tables: ProjectTables, file: str, relation: str, key: str) -> None:
    path = tables.folder / f"{file}.csv"
    assert READER.sniff(Source(path, str(path)))
    assert subject(path) == f"ecephys.project/{file}"
    rows = read(path)
    assert list(rows) == [relation]
    assert [row[key] for row in rows[relation]] == [row["id"] for row in getattr(tables, file)]


def test_raw_names_become_the_names_users_know(tables: ProjectTables) -> None:
    (rows,) = read(tables.folder / "units.csv").values()
    for row, raw in zip(rows, tables.units, strict=True):
        assert row["waveform_pt_ratio"] == raw["PT_ratio"]
        assert row["waveform_duration"] == raw["duration"]
        assert row["peak_channel_id"] == raw["ecephys_channel_id"]
        assert row.get("extra") is None


def test_renamed_tables_give_the_same_rows_as_raw_ones(tables: ProjectTables, tmp_path: Path) -> None:
    renames = {
        "id": "unit_id", "PT_ratio": "waveform_PT_ratio", "amplitude": "waveform_amplitude", "l_ratio": "L_ratio",
        "duration": "waveform_duration", "halfwidth": "waveform_halfwidth", "spread": "waveform_spread",
        "ecephys_channel_id": "peak_channel_id",
    }  # fmt: skip
    raw = (tables.folder / "units.csv").read_text().splitlines()
    header = [renames.get(name, name) for name in raw[0].split(",")]
    path = tmp_path / "units.csv"
    path.write_text("\n".join([",".join(header), *raw[1:]]))
    assert read(path) == read(tables.folder / "units.csv")


def test_the_stored_lfp_rate_is_the_raw_one_over_the_subsampling_factor(tables: ProjectTables) -> None:
    (rows,) = read(tables.folder / "probes.csv").values()
    for row, raw in zip(rows, tables.probes, strict=True):
        assert row["lfp_sampling_rate_raw"] == raw["lfp_sampling_rate"]
        assert row["lfp_sampling_rate"] == raw["lfp_sampling_rate"] / raw["lfp_temporal_subsampling_factor"]


def test_a_genotype_that_is_not_given_is_wild_type_and_times_are_utc(table: Callable[[str], Path]) -> None:
    path = table(
        "id,date_of_acquisition,isi_experiment_id,published_at,specimen_id,session_type,age_in_days,sex,genotype,has_nwb\n"
        "1,2019-01-19T00:54:18-08:00,,2019-10-03T00:00:00Z,2,brain_observatory_1.1,118.0,M,,True\n"
    )
    (row,) = read(path)["ecephys.project_sessions"]
    assert row["full_genotype"] == "wt/wt"
    assert row["date_of_acquisition_utc"] == datetime(2019, 1, 19, 8, 54, 18)
    assert (row["isi_experiment_id"], row["has_nwb"]) == (None, True)


def test_a_probe_that_was_not_registered_has_no_ccf_position(table: Callable[[str], Path]) -> None:
    path = table(
        "id,ecephys_probe_id,local_index,probe_horizontal_position,probe_vertical_position,"
        "anterior_posterior_ccf_coordinate,dorsal_ventral_ccf_coordinate,left_right_ccf_coordinate,"
        "ecephys_structure_id,ecephys_structure_acronym,note\n"
        "1,9,0,43,20,-1000,-1000,-1000,8.0,grey,kept\n"
        "2,9,1,11,20,8164,636,7424,,,\n"
    )
    first, second = read(path)["ecephys.project_channels"]
    assert (first["ap_um"], first["dv_um"], first["ml_um"]) == (None, None, None)
    assert (first["structure_id"], first["structure_acronym"]) == (8, "grey")
    assert json.loads(first["extra"]) == {"note": "kept"}
    assert (second["ap_um"], second["dv_um"], second["ml_um"]) == (8164.0, 636.0, 7424.0)
    assert (second["structure_id"], second["structure_acronym"], second["extra"]) == (None, None, None)


@pytest.mark.parametrize("swapped", [False, True])
def test_receptive_field_columns_under_each_others_name_are_told_by_their_type(tmp_path: Path, swapped: bool) -> None:
    """OD-11."""
    made = make_project_tables(tmp_path, [Truth()], swapped_rf=swapped)
    rows = read(made.metrics_file)["ecephys.published_unit_metrics"]
    p_name, on_name = ("on_screen_rf", "p_value_rf") if swapped else ("p_value_rf", "on_screen_rf")
    assert [row["p_value_rf"] for row in rows] == [_or_none(row[p_name]) for row in made.metrics]
    assert [row["on_screen_rf"] for row in rows] == [_or_none(row[on_name]) for row in made.metrics]


def _or_none(value: Any) -> Any:
    return None if value is None or value != value else value


def test_metric_tables_of_different_units_are_different_subjects(tmp_path: Path) -> None:
    first = make_project_tables(tmp_path / "a", [Truth()]).metrics_file
    second = make_project_tables(tmp_path / "b", [Truth(), Truth(session_id=791319848, seed=1)]).metrics_file
    moved = tmp_path / "moved.csv"
    moved.write_bytes(first.read_bytes())
    assert subject(first) == subject(moved)
    assert subject(first) != subject(second)


@pytest.mark.parametrize(
    ("cell", "column", "reason"),
    [
        ("many", "snr", "'many' is no double"),
        ("12.5", "ecephys_channel_id", "'12.5' is no int64"),
        ("", "id", "is empty"),
        ("9" * 30, "ecephys_channel_id", "is no int64"),
    ],
)
def test_a_cell_of_the_wrong_type_is_named_with_line_and_column(
    tables: ProjectTables, tmp_path: Path, cell: str, column: str, reason: str
) -> None:
    with (tables.folder / "units.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    rows[3][rows[0].index(column)] = cell
    path = tmp_path / "units.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    with pytest.raises(SourceError, match=reason) as caught:
        read(path)
    assert caught.value.where == f"line 4, column {column}"
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("damage", "where"),
    [
        (lambda text: text.replace("\n", ",1\n", 3), "line 2"),
        (lambda text: text + '"never closed', "line"),
        (lambda text: text.replace("snr", "quality"), "line 1"),
        (lambda text: "nothing,of,ours\n1,2,3\n", "header"),
    ],
)
def test_a_table_that_is_no_table_is_refused(
    tables: ProjectTables, table: Callable[[str], Path], damage: Callable[[str], str], where: str
) -> None:
    text = (tables.folder / "units.csv").read_text()
    damaged = damage(text)
    if damaged.startswith("id") and where == "line 2":  # one more name in the header would fit
        damaged = "\n".join([text.splitlines()[0], *damaged.splitlines()[1:]])
    with pytest.raises(SourceError) as caught:
        read(table(damaged))
    assert (caught.value.where or "").startswith(where)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"a,b\n1,2\n", b"\x89HDF\r\n\x1a\n"])
def test_other_files_are_not_claimed(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.csv"
    path.write_bytes(content)
    assert not READER.sniff(Source(path, str(path)))


def test_only_the_parts_asked_for_are_read(tables: ProjectTables) -> None:
    assert read(tables.folder / "units.csv", frozenset({"sessions"})) == {}


def test_runs_of_sessions_are_in_universal_time(table: Callable[[str], Path]) -> None:
    """The rigs' clocks, in Seattle, name no zone: 7 hours behind in summer, 8 in winter."""
    path = table(
        "source_file,session_id,mouse_id,ExperimentStartTime,ExperimentCompleteTime,rig_id,operatorID\n"
        "a.json,715093703,386129,2018-06-27T14:07:11,2018-06-27T16:47:15,NP.1,someone\n"
        "b.json,798911424,421338,2018-12-19T13:25:10,,NP.2,\n"
    )
    assert subject(path) == "ecephys.project/session_runs"
    (found,) = read(path).values()
    assert [(one["run_start_time_utc"], one["run_stop_time_utc"]) for one in found] == [
        (datetime(2018, 6, 27, 21, 7, 11), datetime(2018, 6, 27, 23, 47, 15)),
        (datetime(2018, 12, 19, 21, 25, 10), None),
    ]
    assert [(one["mouse_id"], one["rig_equipment_name"], one["operator"], one["extra"]) for one in found] == [
        ("386129", "NP.1", "someone", '{"source_file": "a.json"}'), ("421338", "NP.2", None, '{"source_file": "b.json"}'),
    ]  # fmt: skip
