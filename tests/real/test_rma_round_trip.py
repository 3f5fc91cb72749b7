"""A lake fetched from another lake that serves the API: the same rows, by client and server of one's own."""

from __future__ import annotations

import threading

import brainlake
import pytest
from brainlake.ingest.rma_grammar import parse
from brainlake.lake.fetching import How
from brainlake.lake.serve.rma import Server

pytestmark = pytest.mark.slow  # two lakes and nine files

SAME = (
    "select structure_id, acronym, graph_order, structure_id_path from ccf.structures",
    "select id, imaging_depth, targeted_structure_id, failed from rma.experiment_containers",
    "select id, experiment_container_id, stimulus_name, date_of_acquisition from rma.ophys_experiments",
    "select id, name, full_genotype, date_of_birth from rma.donors",
    "select owner_model, owner_id, association, member_id from rma.links where owner_model = 'Donor'",
    "select experiment_id, injection_volume_mm3, transgenic_line from connectivity.experiments",
)

# Answers that hold every attribute, known to a column or not, and how sets and structures belong together.
QUERIES = ("model::Specimen", "model::StructureSet,rma::include,structures", "model::StructureHierarchy")
ALIKE = ("Structure", "StructureSet", "StructureSetsStructure", "StructureHierarchy", "Specimen", "Donor", "TransgenicLine",
         "ExperimentContainer", "OphysExperiment", "SectionDataSet")  # fmt: skip


def test_a_lake_fetched_from_a_lake_has_equal_tables(real_data, tmp_path):
    files = ("ccf/structures.json", "connectivity/experiments.json",
             "metadata/brain_observatory/experiment_containers_rma216.json")  # fmt: skip
    with brainlake.create(tmp_path / "a") as theirs, brainlake.create(tmp_path / "b") as ours:
        theirs.ingest([real_data(name) for name in files]).raise_failed()
        server = Server(theirs, port=0)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        try:
            for what in ("structures", "containers", "experiments"):
                ours.fetch(what, how=How(server.url, page=500)).raise_failed()
            for query in QUERIES:
                ours.fetch("rma", query, how=How(server.url, page=500, pause_s=0)).raise_failed()
        finally:
            server.shutdown()
            server.server_close()
        for query in SAME:
            expected = sorted(map(repr, theirs.sql(query).pl().rows()))
            assert expected
            assert sorted(map(repr, ours.sql(query).pl().rows())) == expected, query
        for model in ALIKE:
            asked = parse(f"model::{model},rma::options[num_rows$eq'all']")
            records = list(theirs.api().answer(asked))
            assert records
            assert list(ours.api().answer(asked)) == records, model
