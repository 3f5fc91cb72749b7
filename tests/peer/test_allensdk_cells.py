"""Cells, features and sweep lists beside the Allen SDK's own cache, over the same folder: the real tables where at hand.

Runs where $BRAINLAKE_PEER_PYTHON names a Python that has the SDK (2.16.2).
"""

from __future__ import annotations

import csv
import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from brainlake.ingest import registry
from brainlake.ingest.contract import Source
from brainlake.tests.fixtures import cell_types_tables as made
from brainlake.tests.fixtures.memory import memory_connection
from brainlake.tests.fixtures.reading import read_source

PYTHON = os.environ.get("BRAINLAKE_PEER_PYTHON")
pytestmark = pytest.mark.skipif(not PYTHON, reason="BRAINLAKE_PEER_PYTHON names no Python with the Allen SDK")

REPORTERS = (None, [], ["positive"], ["negative", None], [None])
SPECIES = (None, ["Mus musculus"], ["homo sapiens", "Mus musculus"])
REQUESTS = [
    {"require_morphology": m, "require_reconstruction": r, "reporter_status": status, "species": species}
    for m, r, status, species in itertools.product((False, True), (False, True), REPORTERS, SPECIES)
]


def cells_json(details: Path) -> list[dict[str, Any]]:
    """The web site's table as the API's records."""
    with details.open(newline="") as file:
        return [{name: typed(name, cell) for name, cell in row.items()} for row in csv.DictReader(file)]


def typed(name: str, cell: str) -> Any:
    if name.startswith(("csl__", "ef__", "nr__", "m__", "si__")) or name.endswith(("id", "__id")):
        try:
            return None if cell == "" else int(cell) if cell.lstrip("-").isdigit() else float(cell)
        except ValueError:
            return cell
    return cell if cell else None


@pytest.fixture(scope="module", params=["made", "real"])
def asked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, real_data: Callable[[str], Path]
) -> Iterator[tuple[dict[str, Any], duckdb.DuckDBPyConnection]]:
    """What the SDK says of a cache, and the same cache in tables."""
    folder = made.make_cache(tmp_path_factory.mktemp("cache"))
    if request.param == "real":
        tables = real_data("metadata/cell_types")
        for name in ("ephys_features.csv", "morphology_features.csv"):
            shutil.copy(tables / name, folder / name)
        records = cells_json(tables / "cell_types_specimen_details.csv")
        (folder / "cells.json").write_text(json.dumps(records))
        for path in real_data("models").glob("**/ephys_sweeps.json"):
            cell = json.loads(path.read_text())[0]["specimen_id"]
            (folder / f"specimen_{cell}").mkdir(exist_ok=True)
            shutil.copy(path, folder / f"specimen_{cell}" / "ephys_sweeps.json")
    (folder / "requests.json").write_text(json.dumps(REQUESTS))
    assert PYTHON
    script = Path(__file__).parent / "ask_allensdk_cells.py"
    subprocess.run([PYTHON, script, folder, folder / "answers.json"], check=True)
    tables_read: dict[str, list[pa.Table]] = {}
    for path in sorted([*folder.glob("*.csv"), folder / "cells.json", *folder.glob("*/ephys_sweeps.json")]):
        for name, table in read_source(registry.choose(Source(path, str(path))), path)[0].items():
            tables_read.setdefault(name, []).append(table)
    with memory_connection({name: pa.concat_tables(parts) for name, parts in tables_read.items()}) as con:
        yield json.loads((folder / "answers.json").read_text()), con


def rows(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    answer = con.sql(query)
    return [dict(zip(answer.columns, row, strict=True)) for row in answer.fetchall()]


def test_the_same_cells_pass_the_same_filters(asked: Any) -> None:
    told, con = asked
    query = """
        select s.* from icephys.simplified_cells as s
        semi join icephys.cells_filtered(
            require_morphology := $require_morphology, require_reconstruction := $require_reconstruction,
            reporter_wanted := $reporter_status::varchar[], species_wanted := $species::varchar[]
        ) as c on c.specimen_id = s.id
        order by s.id"""
    for wanted, answer in zip(REQUESTS, told["cells"], strict=True):
        found = con.execute(query, wanted)
        names = [column[0] for column in found.description]
        ours = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        theirs = sorted(answer, key=lambda cell: cell["id"])
        assert ours == [{name: None if value == "" else value for name, value in cell.items()} for cell in theirs], (
            wanted
        )


def test_features_join_to_the_same_cells(asked: Any) -> None:
    told, con = asked
    for wanted, key in (("true", "inner"), ("false", "outer")):
        query = f"select specimen_id from icephys.all_features(require_reconstruction := {wanted}) order by 1"
        assert [cell for (cell,) in con.sql(query).fetchall()] == told[key]
    # the reference tells two ids by _x and _y, and keeps the tables' own names
    names = {"Unnamed: 0"} | {
        n for view in ("ephys_features", "neuron_reconstructions") for n in con.sql(f"from rma.{view}").columns
    }
    assert set(told["columns"]) <= names


def test_sweeps_have_the_same_records_in_the_order_of_their_numbers(asked: Any) -> None:
    """A list that the cache holds comes as it lies there; one that is asked of the API comes by number, as ours."""
    told, con = asked
    assert told["sweeps"]
    for folder, theirs in told["sweeps"].items():
        cell = int(folder.removeprefix("specimen_"))
        ours = rows(con, f"from rma.ephys_sweeps where specimen_id = {cell}")
        assert ours == sorted(theirs, key=lambda sweep: sweep["sweep_number"])
        listed = con.sql(f"select sweep_number from icephys.get_ephys_sweeps({cell})").fetchall()
        assert [number for (number,) in listed] == [sweep["sweep_number"] for sweep in ours]
