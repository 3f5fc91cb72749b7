"""The real files of models: what is in them, counted independently of our readers, and the models run."""

from __future__ import annotations

import json
import tarfile

import brainlake
import numpy as np
import pytest

REAL = ["models/glif", "models/biophysical", "models/glif_teeter2018_mouse_configs.tar.gz",
        "rma/472451419_response.json", "rma/glif_472451425_model_metadata.pyliteral.txt"]  # fmt: skip


@pytest.fixture(scope="module")
def lake(real_data, tmp_path_factory):
    lake = brainlake.create(tmp_path_factory.mktemp("models") / "lake")
    report = lake.ingest([real_data(name) for name in REAL])
    assert not report.failed, report.summary()
    return brainlake.open(lake.path)


def ask(lake, query):
    return lake.sql(query).pl().rows()


def test_645_cells_of_teeter_et_al(lake):
    """The data's README counts them: 645 of level 1 and 3, 254 of level 2 and 4, 253 of level 5."""
    counts = ask(lake, """
        select glif_level, count(*), count(distinct specimen_id) from models.glif_models
        where specimen_id is not null and neuronal_model_id >= 1::bigint << 52 group by all order by all""")  # fmt: skip
    assert counts == [(1, 645, 645), (2, 254, 254), (3, 645, 645), (4, 254, 254), (5, 253, 253)]


def test_every_number_of_the_archive_arrives(lake, real_data):
    """Each configuration as the archive has it, read with the standard library."""
    found = {name: json.loads(text) for name, text in ask(lake, """
        select source_name, config_json from models.glif_models where source_name like '%_GLIF_\\_neuron_config.json'
        escape '\\'""")}  # fmt: skip
    with tarfile.open(real_data("models/glif_teeter2018_mouse_configs.tar.gz")) as archive:
        there = {
            member.name.rsplit("/", 1)[-1]: json.load(archive.extractfile(member))
            for member in archive if member.name.endswith("neuron_config.json")
        }  # fmt: skip
    assert len(there) == 2051
    assert found == there


def test_explained_variance_of_one_cell(lake):
    """313861677, level 2: as its files say."""
    rows = ask(lake, """
        select v.optimization_stage, v.noise_name, v.explained_variance_ratio
        from models.glif_explained_variance as v join models.glif_models as g using (neuronal_model_id)
        where g.specimen_id = 313861677 and g.glif_level = 2 order by all""")  # fmt: skip
    assert rows == [
        ("after_opt", "noise_1", 0.6558338911609556), ("after_opt", "noise_2", 0.687579565860372),
        ("before_opt", "noise_1", 0.6053190197845545), ("before_opt", "noise_2", 0.6135257300365878),
        ("n2_after_opt_sanitycheck", "noise_2", 0.6875408688643391),
    ]  # fmt: skip


def test_api_models_have_their_cell_template_and_sweeps(lake):
    rows = ask(lake, """
        select m.neuronal_model_id, m.specimen_id, m.glif_level, count(*)
        from models.neuronal_models as m join models.model_sweeps as s using (neuronal_model_id)
        where m.is_recorded and m.has_parameters and m.glif_level is not null group by all order by all""")  # fmt: skip
    assert rows == [(486558431, 486239338, 2, 98), (566283879, 324032509, 4, 123), (566302725, 470098860, 1, 120),
                    (566357260, 478058328, 4, 104)]  # fmt: skip


def test_three_biophysical_models_are_told_apart(lake):
    rows = ask(lake, """
        select neuronal_model_id, id_source, specimen_id, model_type from models.biophysical_models order by all""")  # fmt: skip
    assert rows == [
        (468193142, "name", None, "Biophysical - perisomatic"),
        (473863510, "record", 314804042, "Biophysical - perisomatic"),
        (491766131, "folder", 488683425, "Biophysical - all active"),
    ]
    genome = ask(lake, """
        select b.neuronal_model_id, count(*), count(value_text) from models.biophysical_genome
        join models.biophysical_models as b using (biophysical_fit_id) group by all order by all""")  # fmt: skip
    assert genome == [(468193142, 16, 0), (473863510, 16, 0), (491766131, 42, 42)]  # all active: numbers in quotes


def test_fits_come_back_from_their_rows(lake, real_data):
    documents = dict(ask(lake, """
        select f.source_name, d.document_json from models.fit_documents as d
        join models.biophysical_fits as f using (biophysical_fit_id)"""))  # fmt: skip
    files = sorted(real_data("models/biophysical").glob("*/*fit*.json"))
    assert len(files) == 3
    for path in files:
        assert json.loads(documents[path.name]) == json.loads(path.read_text())


def test_sweeps_by_type_of_the_all_active_model_are_those_its_manifest_has(lake, real_data):
    folder = real_data("models/biophysical/491766131_all_active")
    wanted = json.loads((folder / "manifest.json").read_text())["runs"][0]["sweeps_by_type"]
    found = dict(ask(lake, """
        select stimulus_name, sweep_numbers from models.sweeps_by_type where neuronal_model_id = 491766131"""))  # fmt: skip
    assert {k: v for k, v in found.items() if k in wanted} == {k: sorted(v) for k, v in wanted.items()}


def test_all_2051_models_of_the_archive_run(lake):
    """A second of current; a model of higher threshold than the step stays silent, one resets above its threshold."""
    rows = ask(lake, """
        with cells as (from models.glif_models where neuronal_model_id >= 1::bigint << 52 and specimen_id is not null),
        steps as (
            select 1 as stimulus_id,
                list_transform(range(20000), lambda i: case when i > 4000 then 3e-10 else 0 end) as stimulus)
        select g.glif_level, count(*), avg(s.n_spikes), count(*) filter (where s.is_bad_reset)
        from models.simulate_glif('cells', 'steps', traces := false) as s
        join models.glif_models as g using (neuronal_model_id)
        group by all order by all""")  # fmt: skip
    assert [row[1] for row in rows] == [645, 254, 645, 254, 253]
    assert all(row[2] > 5 for row in rows)
    assert sum(row[3] for row in rows) < 5


def test_a_record_printed_by_python_brings_its_sweeps(lake):
    rows = ask(lake, "select count(*) from models.model_record_sweeps where neuronal_model_id = 472451425")
    assert rows == [(120,)]


def test_a_model_of_the_api_by_hand(lake):
    """566302725, level 1: a subthreshold step settles at I R (Ohm's law) within the scheme's error."""
    ((resistance,),) = ask(lake, "select r_input from models.glif_models where neuronal_model_id = 566302725")
    (row,) = ask(lake, """
        with cells as (from models.glif_models where neuronal_model_id = 566302725),
        steps as (select 1 as stimulus_id, list_transform(range(40000), lambda i: 2e-11) as stimulus)
        select voltage[40000], n_spikes from models.simulate_glif('cells', 'steps')""")  # fmt: skip
    np.testing.assert_allclose(row[0], 2e-11 * resistance, rtol=1e-9)
    assert row[1] == 0
