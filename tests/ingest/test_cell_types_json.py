"""Records of cells as the API gives them and as caches keep them become typed rows, one record at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from brainlake.ingest import json_records, registry
from brainlake.ingest.cell_types_json import READER
from brainlake.ingest.contract import Source
from brainlake.ingest.json_records import Records
from brainlake.lake.errors import SourceError
from brainlake.tests.fixtures import cell_types_tables as made
from brainlake.tests.fixtures.reading import read_source

Write = Callable[[Any], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(content: Any) -> Path:
        path = tmp_path / "answer.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


def source(path: Path) -> Source:
    return Source(path, str(path))


def read(path: Path) -> dict[str, list[dict[str, Any]]]:
    assert registry.choose(source(path)).name == "cell_types_json"
    tables, _ = read_source(READER, path)
    return {name: table.to_pylist() for name, table in tables.items()}


def subject(path: Path) -> str:
    return READER.identify(source(path)).subject


def without_nulls(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


@pytest.mark.parametrize("wrap", [lambda rows: rows, made.answer], ids=["as a cache keeps it", "in an envelope"])
def test_specimen_details_are_those_of_the_table(write: Write, tmp_path: Path, wrap: Callable[[Any], Any]) -> None:
    from brainlake.ingest.cell_types_csv import READER as CSV

    path = write(wrap(made.details()))
    (rows,) = read(path).values()
    table, _ = read_source(CSV, made.write_details_csv(tmp_path / "cells.csv"))
    assert [without_nulls(row) for row in rows] == [
        without_nulls(row) for row in table["icephys.csv_specimen_details"].to_pylist()
    ]
    assert subject(path) == "icephys.cell_types/specimen_details"


def test_a_page_and_a_single_record_are_subjects_of_their_own(write: Write) -> None:
    ids = sorted(cell.specimen_id for cell in made.CELLS)
    whole = "icephys.cell_types/specimen_details"
    assert subject(write(made.answer(made.details(), total=2333))) == f"{whole}/{ids[0]}-{ids[-1]}"
    assert subject(write(made.answer(made.details()[:1]))) == f"{whole}/{made.CELLS[0].specimen_id}"


def test_sweeps_of_a_cell_keep_null_spikes_and_their_file_order(write: Write) -> None:
    path = write(made.sweeps(made.CELLS[0]))
    rows = read(path)["icephys.api_sweeps"]
    assert subject(path) == "icephys.cell_types/sweeps/464212183"
    assert {row["sweep_number"]: row["num_spikes"] for row in rows} == {4: None, 35: 18, 6: None}
    long_square = next(row for row in rows if row["sweep_number"] == 35)
    assert long_square["stimulus_absolute_amplitude_pa"] == 190.000001842883
    assert (long_square["stimulus_name"], long_square["sweep_id"]) == ("Long Square", 396_307_177)


def test_features_have_the_same_columns_from_the_api(write: Write) -> None:
    (features,) = read(write(made.answer(made.ephys_features()))).values()
    assert [row["tau_ms"] for row in features] == [20.0, 21.0, 22.0, 23.0, 24.0, 25.0]
    (shapes,) = read(write(made.answer(made.morphology_features()))).values()
    assert [row["reconstruction_id"] for row in shapes] == [492413664, 492413665, 492413668, 601947643]
    assert [row["reconstruction_type"] for row in shapes] == ["full", "dendrite-only", "full", "full"]


def test_older_specimens_keep_their_lists_and_the_links_of_their_files(write: Write) -> None:
    tables = read(write(made.answer([made.specimen(cell, i) for i, cell in enumerate(made.CELLS)])))
    rows = {row["specimen_id"]: row for row in tables["icephys.legacy_specimens"]}
    mouse, human = rows[464212183], rows[525011903]
    assert mouse["transgenic_line_names"] == ["Ai14(RCL-tdT)", "Scnn1a-Tg2-Cre"]
    assert mouse["transgenic_line_types"] == ["reporter", "driver"]
    assert mouse["tags"] == ["dendrite type - spiny", "apical - intact"]
    assert (mouse["structure_acronym"], mouse["structure_layer"], mouse["soma_z"]) == ("VISp5", "5", 8567.25)
    assert (mouse["n_data_sets"], mouse["n_reconstructions"], mouse["reporter"]) == (1, 1, "positive")
    assert (human["species"], human["reporter"]) == ("Homo Sapiens", None)
    assert human["conditions"] == ["disease categories - epilepsy", "tissue - fresh"]
    assert json.loads(mouse["extra"])["weight"] == 8000  # what has no column is kept
    files = {(row["specimen_id"], row["owner_type"]): row for row in tables["icephys.api_well_known_files"]}
    assert files[464212183, "NeuronReconstruction"]["well_known_file_type_id"] == 303941301
    assert files[525011903, "EphysResult"]["file_type"] == "NWBDownload"
    assert (525011903, "NeuronReconstruction") not in files


def test_records_are_read_in_blocks_wherever_these_end(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every size of block from 1 to 200 characters cuts records at every kind of place."""
    records = [{"id": i, "text": 'a "quoted" ] } \\ \u00e9\u2028', "n": [-1.5e-7, True, None]} for i in range(3)]
    path = write("\ufeff" + made.answer(records)[:-1] + ', "took": 1.5} ')
    for block in range(120, 320):
        monkeypatch.setattr(json_records, "BLOCK", block)
        found = Records(source(path))
        assert list(found) == records
        assert found.envelope == {
            "success": True, "id": 0, "start_row": 0, "num_rows": 3, "total_rows": 3, "took": 1.5,
        }  # fmt: skip


def test_a_long_list_of_short_records_is_read_to_its_end(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read at once stays small, however many records have gone by: no list is taken for a long record."""
    monkeypatch.setattr(json_records, "BLOCK", 100)
    monkeypatch.setattr(json_records, "MAX_RECORD", 400)
    records = [{"id": i, "name": "n" * (i % 90)} for i in range(3_000)]
    assert list(Records(source(write(made.answer(records))))) == records
    with pytest.raises(SourceError, match="record 1: is longer than 400 characters"):
        list(Records(source(write(made.answer([{"id": 0}, {"name": "n" * 2_000}])))))


def identify_and_read(path: Path) -> None:
    READER.identify(source(path))
    read_source(READER, path)


LIST = json.dumps(made.sweeps(made.CELLS[0]))


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (LIST[:-40], "record 2"),
        (LIST[:30], "record 0"),
        (LIST[:-1], "record 2"),
        (LIST + "]", None),
        (LIST[:-1] + ", 5]", "record 3"),
        (LIST.replace("},", "};", 1), "record 0"),
        (LIST.replace(": 1.0", ": one", 1), "record 0"),
        (LIST[:-1] + ', {"specimen_id": 1, "extra": ' + "[" * 100_000 + "]}]", "record 3"),
        (LIST[:-1] + ', {"specimen_id": 1, "extra": ' + "9" * 10_000 + "}]", "record 3"),
        (LIST.replace('"sweep_number": 4', '"sweep_number": 4.5', 1), "record 0, sweep_number"),
        (LIST.replace('"sweep_number": 4', '"sweep_number": [4]', 1), "record 0, sweep_number"),
        (LIST.replace('"sweep_number": 4', '"sweep_number": null', 1), "record 0, sweep_number"),
        (LIST.replace('"specimen_id": 464212183', '"specimen_id": "x"', 1), "record 0, specimen_id"),
        (LIST.replace('"leak_pa": 1.0', '"leak_pa": {"a": 1}', 1), "record 0, leak_pa"),
    ],
)
def test_what_is_wrong_with_a_list_is_said_with_the_record(write: Write, text: str, where: str | None) -> None:
    path = write(text)
    with pytest.raises(SourceError) as caught:
        identify_and_read(path)
    assert caught.value.where == where or (where and (caught.value.where or "").startswith(where))
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"donor": "Mus"},
        {"specimen_tags": ["spiny"]},
        {"donor": {"transgenic_lines": [{"name": 5}]}},
        {"neuron_reconstructions": [{"well_known_files": [{"path": "x"}]}]},
    ],
)
def test_a_member_that_is_not_what_it_should_be_is_named(write: Write, change: dict[str, Any]) -> None:
    path = write([made.specimen(made.CELLS[0], 0) | change])
    with pytest.raises(SourceError, match="record 0"):
        read_source(READER, path)


def test_other_documents_are_not_claimed(write: Write) -> None:
    model = {"id": 1, "neuronal_model_template_id": 2, "specimen": {"ephys_sweeps": made.sweeps(made.CELLS[0])}}
    for other in (model, [model], {"manifest": []}, [], {"success": False, "msg": "no"}, [1, 2], "[", "{}"):
        assert not READER.sniff(source(write(other)))
