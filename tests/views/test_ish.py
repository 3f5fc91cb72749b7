"""Questions to gene expression: series of a gene, expression by structure, voxels with their structures."""

from __future__ import annotations

import json

import numpy as np
import pytest
from brainlake.tests.fixtures import ccf, ish
from brainlake.tests.fixtures.ingesting import concat, tables_of
from brainlake.tests.fixtures.memory import memory_connection


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ish")
    unionizes = [
        ish.unionize(ish.DATA_SET, 315, 1000, 100, 2000),
        ish.unionize(ish.DATA_SET, 385, 100, 50, 1100),  # energy 11; the rest of 315: (2000 - 1100) / 900 = 1
        ish.unionize(ish.OTHER, 385, 100, 0, 0, expression_energy=0.5),  # published otherwise than its sums
    ]
    (folder / "structures.json").write_text(json.dumps(ccf.tree_records()))
    tables = concat(
        tables_of(folder / "structures.json"),
        tables_of(ccf.write_zip(folder / "P56_Mouse_gridAnnotation.zip", ccf.annotation())),
        tables_of(ish.write_json(folder / "genes.json", ish.genes())),
        tables_of(ish.write_json(folder / "data_sets.json", ish.envelope(ish.data_sets()))),
        tables_of(ish.write_json(folder / "unionizes.json", unionizes)),
        tables_of(ish.write_zip(folder / f"{ish.DATA_SET}.zip")),
    )
    connection = memory_connection(tables)
    yield connection
    connection.close()


def rows(con, query):
    return con.execute(query).fetchall()


def test_a_gene_is_listed_once_with_what_the_list_of_genes_knows(con):
    assert rows(con, "select gene_acronym, organism_id, chromosome from ish.genes order by gene_id") == [
        ("PDYN", 1, "2"), ("Man1a", 2, "2"), ("Pdyn", 2, "2")]  # fmt: skip


def test_series_are_found_by_gene_product_and_plane(con):
    def found(arguments):
        return rows(con, f"select data_set_id, gene_acronym from ish.find_data_sets({arguments})")

    assert found("") == [(ish.DATA_SET, "Pdyn")]  # those that failed are left out
    assert found("genes := ['man1A'], with_failed := true") == [(ish.OTHER, "Man1a")]
    assert found("products := [3], with_failed := true") == [(ish.OTHER, "Man1a"), (ish.OTHER, "Pdyn")]
    assert found("planes := ['sagittal']") == []


def test_every_voxel_has_the_structure_of_the_annotation_of_its_grid(con):
    labels, energy = ccf.annotation(), ish.volumes()["energy"]
    found = rows(con, "select ap_index, dv_index, ml_index, ap_um, structure_id, energy from ish.expression_voxels")
    assert len(found) == 36
    for ap, dv, ml, ap_um, structure, value in found:
        assert (structure or 0, value) == (labels[ap, dv, ml], energy[ap, dv, ml])
        assert ap_um == ap * 200


def test_expression_of_a_structure_from_its_voxels(con):
    """Isocortex holds VISp1, VISp2/3 and AUDp: mean and spread as numpy has them."""
    energy = ish.volumes()["energy"].astype(float)
    inside = np.isin(ccf.annotation(), [315, 385, 593, 821, 1027]) & (energy != -1)
    query = f"""
        select n_voxels, voxel_energy_mean, voxel_energy_cv from ish.structure_expression
        where data_set_id = {ish.DATA_SET} and structure_id = 315"""
    n, mean, cv = rows(con, query)[0]
    assert n == inside.sum() > 20
    assert mean == pytest.approx(energy[inside].mean())
    assert cv == pytest.approx(energy[inside].std() / energy[inside].mean())


def test_unionizes_tell_structure_genes_and_intensity(con):
    query = "select acronym, gene_acronyms, expression_intensity from ish.unionizes order by data_set_id, structure_id"
    assert rows(con, query) == [
        ("Isocortex", ["Pdyn"], 20.0),
        ("VISp", ["Pdyn"], 22.0),
        ("VISp", ["Man1a", "Pdyn"], None),
    ]


def test_a_record_that_breaks_its_identities_is_told(con):
    query = "select data_set_id, structure_id, is_consistent, energy_difference from ish.unionize_check order by all"
    assert rows(con, query) == [
        (ish.DATA_SET, 315, True, 0.0), (ish.DATA_SET, 385, True, 0.0), (ish.OTHER, 385, False, 1.0)]  # fmt: skip


def test_enrichment_is_against_the_rest_of_what_holds_the_target(con):
    found = rows(con, "from ish.enriched_data_sets('VISp', 'Isocortex')")
    assert found[0] == (ish.DATA_SET, ["Pdyn"], 11.0, 1.0, 11.0)
    assert rows(con, "from ish.enriched_data_sets('VISp', 'Isocortex', least_energy := 20)") == []
