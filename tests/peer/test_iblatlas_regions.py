"""Structures beside iblatlas, a program of other authors, on the table of the ontology that it carries.

Runs where $BRAINLAKE_IBLATLAS_PYTHON names a Python that has iblatlas.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from brainlake.tests.fixtures.ingesting import tables_of
from brainlake.tests.fixtures.memory import memory_connection

PYTHON = os.environ.get("BRAINLAKE_IBLATLAS_PYTHON")
pytestmark = pytest.mark.skipif(not PYTHON, reason="BRAINLAKE_IBLATLAS_PYTHON names no Python with iblatlas")


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SimpleNamespace]:
    folder = tmp_path_factory.mktemp("iblatlas")
    script = Path(__file__).with_name("ask_iblatlas_regions.py")
    subprocess.run([PYTHON, script, folder / "told.json", folder / "allen_structure_tree.csv"], check=True)
    told = json.loads((folder / "told.json").read_text())
    told["regions"] = {int(id_): region for id_, region in told["regions"].items()}
    con = memory_connection(tables_of(folder / "allen_structure_tree.csv"))
    yield SimpleNamespace(con=con, regions=told["regions"], leaves=told["leaves"], mappings=told["mappings"])
    con.close()


def test_structures_have_the_same_names_colours_and_depths(both):
    query = (
        "select structure_id, acronym, name, rgb, len(structure_id_path) - 1 from ccf.structures where structure_id > 0"
    )
    ours = {row[0]: row[1:] for row in both.con.execute(query).fetchall()}
    assert len(ours) == len(both.regions) > 1_300
    for id_, (acronym, name, rgb, level) in ours.items():
        told = both.regions[id_]
        assert (acronym, name, list(rgb), level) == (told["acronym"], told["name"], told["rgb"], told["level"]), id_


@pytest.mark.parametrize(
    ("told", "own", "other"),
    [("descendants", "ancestor_id", "descendant_id"), ("ancestors", "descendant_id", "ancestor_id")],
)
def test_the_tree_is_the_same_up_and_down(both, told, own, other):
    query = f"select {own}, list(distinct {other} order by {other}) from ccf.structure_closure group by all"
    ours = dict(both.con.execute(query).fetchall())
    for id_, region in both.regions.items():
        assert ours[id_] == region[told], id_


def test_structures_without_parts_are_the_same(both):
    query = "select ancestor_id from ccf.structure_closure group by all having count(*) = 1 and ancestor_id > 0"
    assert sorted(row[0] for row in both.con.execute(query).fetchall()) == sorted(both.leaves)


@pytest.mark.parametrize("name", ["Beryl", "Cosmos"])
def test_a_coarser_atlas_is_a_join_to_the_nearest_structure_around(both, name):
    """iblatlas carries the mapping as an array; in SQL it is the list of its structures and the closure."""
    told = {int(id_): to for id_, to in both.mappings[name].items()}
    coarse = pl.DataFrame({"coarse_id": sorted(set(told.values()))})
    both.con.register("coarse", coarse)
    ours = dict(
        both.con.execute("""
            select c.descendant_id, arg_min(c.ancestor_id, c.steps)
            from ccf.structure_closure as c
            join coarse as k on k.coarse_id = c.ancestor_id
            group by all""").fetchall()
    )
    assert {id_: ours[id_] for id_ in told} == told
    assert 10 <= len(coarse) < len(told) / 3
