"""Files of models: what is read of them, and what is said of those that are not as they should be."""

from __future__ import annotations

import contextlib
import json
import random
import tarfile
from collections import Counter
from dataclasses import replace

import brainlake
import pytest
from brainlake.ingest import registry
from brainlake.ingest.contract import ID_BASE, Report, Source
from brainlake.ingest.json_source import read_json, read_literal
from brainlake.ingest.models_descriptions import READER as DESCRIPTIONS
from brainlake.ingest.models_glif import READER as GLIF
from brainlake.ingest.models_mechanisms import READER as NMODL_READER
from brainlake.ingest.models_records import READER as RECORDS
from brainlake.ingest.models_teeter import READER as ARCHIVE
from brainlake.lake.errors import SourceError
from brainlake.tests.fixtures import model_files as made
from brainlake.tests.fixtures.reading import column, read_source


def source(path):
    return Source(path, str(path))


def refused(reader, path):
    """What a reader says of a file that it refuses."""
    with pytest.raises(SourceError) as caught:
        read_all(reader, path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def read_all(reader, path):
    reader.identify(source(path))
    return read_source(reader, path)


# GLIF configurations


def test_every_number_of_a_configuration_arrives(tmp_path):
    path = made.write_json(tmp_path / "neuron_config.json", {"486558431": made.glif_config(5)})
    tables, _ = read_source(GLIF, path)
    (row,) = tables["models.glif_configs"].to_pylist()
    assert GLIF.identify(source(path)).subject == "models.neuronal_model/486558431"
    wanted = {
        "neuronal_model_id": 486558431, "specimen_id": None, "glif_level": 5, "el": 0.0, "el_reference": -0.0714,
        "dt": 5e-5, "r_input": 2.5e8, "capacitance": 8e-11, "th_inf": 0.023, "th_adapt": None, "spike_cut_length": 60,
        "asc_tau_array": [0.3, 0.01], "asc_amp_array": [-7e-12, -2e-10], "init_ascurrents": [0.0, 0.0],
        "coeff_th_inf": 1.02, "coeff_asc_amp_array": [1.0, 1.0], "threshold_dynamics_method": "three_components_exact",
        "voltage_reset_method": "v_before", "extrapolation_method": "endpoints", "dt_multiplier": 10.0,
    }  # fmt: skip
    assert {name: row[name] for name in wanted} == wanted
    assert json.loads(row["config_json"]) == made.glif_config(5)


@pytest.mark.parametrize("level", made.LEVELS)
def test_the_level_is_told_by_the_rules(level, tmp_path):
    tables, _ = read_source(GLIF, made.write_json(tmp_path / "a.json", made.glif_config(level)))
    assert column(tables["models.glif_configs"], "glif_level") == [level]


def test_a_bare_configuration_is_known_by_its_content_not_its_name_or_layout(tmp_path):
    config = made.glif_config(3)
    one = made.write_json(tmp_path / "637930677_lif_asc.json", config)
    other = tmp_path / "copy.json"
    other.write_text(json.dumps(dict(reversed(config.items()))))
    assert GLIF.identify(source(one)).subject == GLIF.identify(source(other)).subject
    tables, _ = read_source(GLIF, one)
    (row,) = tables["models.glif_configs"].to_pylist()
    assert row["neuronal_model_id"] >= ID_BASE
    assert row["named_specimen_id"] == 637930677


def test_configurations_of_several_models_in_one_file(tmp_path):
    path = made.write_json(tmp_path / "configs.json", {"7": made.glif_config(1), "12": made.glif_config(2)})
    tables, _ = read_source(GLIF, path)
    assert column(tables["models.glif_configs"], "neuronal_model_id") == [7, 12]
    assert GLIF.identify(source(path)).subject == "models.neuronal_models/7-12"


def test_numbers_in_quotes_and_rules_of_one_s_own_are_taken(tmp_path):
    config = json.loads(json.dumps(made.glif_config(5)), parse_float=str)
    config["voltage_reset_method"]["name"] = "my_rule"
    tables, _ = read_source(GLIF, made.write_json(tmp_path / "a.json", config))
    (row,) = tables["models.glif_configs"].to_pylist()
    assert (row["capacitance"], row["glif_level"], row["voltage_reset_method"]) == (8e-11, None, "my_rule")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"C": None}, "C: is missing"),
        ({"R_input": "much"}, "R_input: 'much' is no number"),
        ({"asc_tau_array": 3}, "asc_tau_array: is no list"),
        ({"asc_tau_array": [0.1]}, "differ in length"),
        ({"coeffs": [1]}, "coeffs: is no object"),
        ({"spike_cut_length": 2.5}, "2.5 is no number of time steps"),
        ({"voltage_reset_method": {}}, "voltage_reset_method: names no rule"),
        ({"type": "LNP"}, "'LNP' is no GLIF model"),
        ({"dt": float("inf")}, "dt: is missing"),  # JSON has no infinity: it is nothing
    ],
)
def test_what_a_configuration_lacks_is_named(changes, said, tmp_path):
    path = made.write_json(tmp_path / "a.json", {"12": made.glif_config(5, **changes)})
    assert GLIF.sniff(source(path))
    message = refused(GLIF, path)
    assert said in message
    assert "12" in message


# The archive of 2018


def test_an_archive_gives_models_of_cells_by_level(tmp_path):
    path = made.write_archive(
        tmp_path / "any.tgz", made.archive_members({313860745: "Rorb-IRES2-Cre-D", 5813861: "Pv_x"})
    )
    assert ARCHIVE.sniff(source(path))
    assert ARCHIVE.identify(source(path)).subject == "models.glif_archive/5813861-313860745"
    tables, report = read_source(ARCHIVE, path)
    configs = tables["models.glif_configs"]
    assert Counter(column(configs, "specimen_id")) == {313860745: 5, 5813861: 5}
    assert column(configs, "glif_level") == [1, 2, 3, 4, 5] * 2
    assert not report.warnings
    variances = tables["models.glif_explained_variance"].to_pylist()
    assert len(variances) == 10 * 5
    last = [
        r["explained_variance_ratio"] for r in variances
        if (r["specimen_id"], r["optimization_stage"], r["noise_name"]) == (313860745, "after_opt", "noise_1")
    ]  # fmt: skip
    assert last == pytest.approx([0.66, 0.67, 0.68, 0.69, 0.70])
    assert set(column(tables["models.glif_subthreshold_fits"], "n_points")) == {9202436}


def test_names_of_an_archive_are_never_paths(tmp_path, monkeypatch):
    """Members that climb out, links and other files are passed over; nothing is unpacked."""
    monkeypatch.chdir(tmp_path)
    members = made.archive_members({313860745: "x"}, levels=(1,))
    hostile = {"../../evil.json": b"{}", "/etc/evil": b"x", "notes.txt": b"x"}
    path = made.write_archive(tmp_path / "a.tar.gz", members | hostile)
    before = sorted(tmp_path.rglob("*"))
    tables, report = read_source(ARCHIVE, path)
    assert tables["models.glif_configs"].num_rows == 1
    assert {name for name, _ in report.skipped} == set(hostile)
    assert sorted(tmp_path.rglob("*")) == before
    links = made.write_archive(tmp_path / "links.tar.gz", members, kind=tarfile.SYMTYPE)
    assert "holds no file of a GLIF model" in refused(ARCHIVE, links)


def test_broken_archives_are_told(tmp_path):
    members = made.archive_members({313860745: "x"})
    whole = made.write_archive(tmp_path / "whole.tar.gz", members).read_bytes()
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(whole[: len(whole) // 2])
    assert "is a broken archive" in refused(ARCHIVE, cut)
    name = next(name for name in members if name.endswith("neuron_config.json"))
    wrong = made.write_archive(tmp_path / "wrong.tar.gz", members | {name: b"{"})
    assert f"{name}, line 1: is no JSON" in refused(ARCHIVE, wrong)
    large = made.write_archive(tmp_path / "large.tar.gz", members | {name: b" " * (1 << 21)})
    assert "no such file has" in refused(ARCHIVE, large)
    other = made.write_archive(tmp_path / "other.tar.gz", {"a.txt": b"x"})
    assert not ARCHIVE.sniff(source(other))


# Records of the API


def test_a_record_gives_model_run_files_and_sweeps(tmp_path):
    path = made.write_json(tmp_path / "neuronal_model.json", made.model_record())
    tables, _ = read_source(RECORDS, path)
    (model,) = tables["models.model_records"].to_pylist()
    assert (model["neuronal_model_id"], model["specimen_id"], model["is_listed"]) == (473863510, 314804042, False)
    assert model["neuronal_model_template_name"] == "Biophysical - perisomatic"
    assert json.loads(model["extra"])["specimen"]["ephys_result_id"] == 314804040
    assert column(tables["models.model_record_runs"], "explained_variance_ratio") == [0.75]
    files = {
        r["well_known_file_id"]: (r["owner_type"], r["file_name"])
        for r in tables["models.model_record_files"].to_pylist()
    }
    assert files == {
        1: ("NeuronalModel", "314804042_fit.json"), 2: ("NeuronalModelTemplate", "Ih.mod"), 3: ("EphysResult", "a.nwb"),
        4: ("NeuronReconstruction", "line_m.swc"), 5: ("NeuronReconstruction", "line_marker_m.swc"),
    }  # fmt: skip
    assert sorted(column(tables["models.model_record_sweeps"], "sweep_number")) == [0, 4, 5, 7]


def test_a_record_alone_in_an_answer_or_printed_by_python_is_the_same(tmp_path):
    record = made.model_record()
    plain = made.write_json(tmp_path / "a.json", record)
    answer = made.write_json(tmp_path / "b.json", {"success": True, "total_rows": 9440, "msg": [record]})
    literal = tmp_path / "c.txt"
    literal.write_text(repr(record))
    tables = [read_source(RECORDS, path)[0] for path in (plain, answer, literal)]
    assert all(RECORDS.sniff(source(p)) for p in (plain, answer, literal))
    assert len({RECORDS.identify(source(p)) for p in (plain, answer, literal)}) == 1
    assert tables[0] == tables[1] == tables[2]


def test_a_run_of_the_producer_s_own_gives_its_model_with_files_by_folder(tmp_path):
    """As the reference reads one: reconstructions that a person made and none superseded; files that are yet to be have no id."""
    path = made.write_json(tmp_path / "run.json", made.run_record())
    listed = made.write_json(tmp_path / "message.json", [made.run_record()])
    assert RECORDS.sniff(source(path))
    assert RECORDS.identify(source(path)).subject == "models.neuronal_model/473863510"
    tables, _ = read_source(RECORDS, path)
    assert tables == read_source(RECORDS, listed)[0]
    (model,) = tables["models.model_records"].to_pylist()
    assert (model["specimen_id"], model["neuronal_model_template_id"]) == (314804042, 329230710)
    assert model["neuronal_model_template_name"] == "Biophysical - perisomatic"
    (run,) = tables["models.model_record_runs"].to_pylist()
    assert run["neuronal_model_run_id"] == 7
    assert json.loads(run["extra"]) == {"storage_directory": "/projects/run_7/", "workflow_state": "pending"}
    files = {r["well_known_file_id"]: r["warehouse_path"] for r in tables["models.model_record_files"].to_pylist()}
    names = {
        1: "314804042_fit.json", 2: "Ih.mod", 6: "NaTs.mod", 3: "a.nwb", 9: "a.txt", 410: "line_41.swc", 411: "line_41.marker",
    }  # fmt: skip
    assert files == {number: f"/projects/run_7/{name}" for number, name in names.items()}
    sweeps = {r["sweep_number"]: r["stimulus_name"] for r in tables["models.model_record_sweeps"].to_pylist()}
    assert sweeps == {0: "Test", 4: "Long Square", 5: "Long Square", 7: "Ramp"}
    states = {
        r["sweep_number"]: json.loads(r["extra"])["workflow_state"]
        for r in tables["models.model_record_sweeps"].to_pylist()
    }
    assert states[4] == "auto_failed"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"neuronal_model": {"specimen": 3, "specimen_id": 1, "neuronal_model_template_id": 1, "id": 2}}, "specimen: is no object"),
        ({"neuronal_model": {"specimen": {"ephys_sweeps": {}, "id": 1}, "neuronal_model_template": {"id": 1}, "id": 2}}, "is no list"),
        ({"well_known_files": 5}, "well_known_files of NeuronalModelRun: is no list"),
        ({"id": "seven"}, "'seven' is no whole number"),
        ({"neuronal_model": {}}, "holds no record of a model"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_run_is_said(changes, said, tmp_path):
    assert said in refused(RECORDS, made.write_json(tmp_path / "run.json", made.run_record(**changes)))


def test_a_list_of_models_is_a_subject_of_its_own(tmp_path):
    path = made.write_json(tmp_path / "a.json", [made.model_record(5), made.model_record(3, 9)])
    identity = RECORDS.identify(source(path))
    assert (identity.subject, identity.role) == ("models.neuronal_models/3-5", "model_list")
    tables, _ = read_source(RECORDS, path)
    assert column(tables["models.model_records"], "is_listed") == [True, True]
    twice = made.write_json(tmp_path / "b.json", [made.model_record(5), made.model_record(5)])
    assert "tells of model 5, as another does" in refused(RECORDS, twice)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"id": "x"}, "id: 'x' is no whole number"),
        ({"id": None}, "id: is missing"),
        ({"id": 2**63}, "is no whole number"),
        ({"specimen": {"ephys_sweeps": [{"sweep_number": 3}, {"sweep_number": 3}]}}, "sweep 3 is there twice"),
        ({"specimen": [1]}, "specimen: is no object"),
        ({"well_known_files": [3]}, "well_known_files of NeuronalModel: is no object"),
        ({"neuronal_model_runs": [{"explained_variance_ratio": "high"}]}, "'high' is no number"),
    ],
)
def test_what_is_wrong_with_a_record_is_named(changes, said, tmp_path):
    assert said in refused(RECORDS, made.write_json(tmp_path / "a.json", made.model_record(**changes)))


def test_nothing_in_a_literal_is_run(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("{'id': __import__('os').system('touch pwned'), 'neuronal_model_template_id': None}")
    assert "is no" in refused(RECORDS, path)
    with pytest.raises(SourceError, match="is no literal"):
        read_literal(source(path))


# Descriptions, fits and manifests


def test_a_fit_arrives_row_by_row(tmp_path):
    path = made.write_json(tmp_path / "314804042_fit.json", made.fit())
    tables, _ = read_source(DESCRIPTIONS, path)
    (fit,) = tables["models.biophysical_fits"].to_pylist()
    wanted = {"ra": 35.5, "e_pas_mv": -85.0, "junction_potential_mv": -14.0, "celsius": 34.0, "v_init_mv": -85.0,
              "fit_sweeps": [38], "named_model_id": 314804042}  # fmt: skip
    assert {name: fit[name] for name in wanted} == wanted
    genome = tables["models.biophysical_genome"]
    assert column(genome, "parameter_value") == [0.00043788364247700001, 9.57001e-05]
    assert column(genome, "value_text") == [None, "9.57001e-05"]
    assert column(tables["models.biophysical_cm"], "cm") == [1.0, 2.25]
    assert column(tables["models.biophysical_erev"], "ek_mv") == [-107.0]
    assert "models.manifest_entries" not in tables


def test_one_object_stands_for_a_list_of_one_and_a_misspelt_section_is_known(tmp_path):
    found = made.fit()
    unary = {"axon_morph,": found.pop("axon_morph"), **found, "passive": found["passive"][0]}
    tables, _ = read_source(DESCRIPTIONS, made.write_json(tmp_path / "a.json", unary))
    entries = {r["section"]: r for r in tables["models.descriptions"].to_pylist()}
    assert entries["passive"]["is_unary"]
    assert not entries["axon_morph"]["is_unary"]
    assert column(tables["models.biophysical_fits"], "ra") == [35.5]


def test_comments_go_and_what_looks_like_one_in_a_string_stays(tmp_path):
    path = tmp_path / "manifest.json"
    path.write_text(made.MANIFEST_WITH_COMMENTS)
    tables, _ = read_source(DESCRIPTIONS, path)
    (described,) = tables["models.description_files"].to_pylist()
    assert (described["description_kind"], described["has_comments"]) == ("manifest", True)
    assert described["model_files"] == ["manifest.json", "314804042_fit.json"]
    runs = [r["entry_json"] for r in tables["models.descriptions"].to_pylist() if r["section"] == "runs"]
    assert json.loads(runs[0])["home"] == "http://example.org/a//b"
    entries = tables["models.manifest_entries"]
    assert entries.num_rows == 12
    assert column(entries, "manifest_version")[0] == "1.1"
    assert column(entries, "ignored_parent")[3] == "WORKDIR"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1 /* open', "line 1: begins a comment that does not end"),
        ('{"a": 1}\n// fine\n{', "line 3: is no JSON"),
        ('{"a": 1, "a": 2}', "names the member 'a' of an object twice"),
        ("[" * 100_000, "nests deeper"),
        ('{"a": ' + "9" * 5000 + "}", "is no JSON that can be read"),
        ("", "is no JSON"),
    ],
)
def test_what_is_wrong_with_a_document_is_told(text, said, tmp_path):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(SourceError, match=said.replace("(", r"\(")):
        read_json(source(path), comments=True)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (made.fit(genome=[3]), "genome [0]: is no object"),
        (made.fit(genome=[{"section": "soma", "name": "g", "mechanism": ""}]), "genome [0], value: is missing"),
        (made.fit(genome=[{"section": 1, "value": 1}]), "genome [0], section: is missing"),
        (made.fit(fitting=[{"sweeps": ["a"]}]), "is no list of sweep numbers"),
        (made.fit(passive=[3]), "passive [0]: is no object"),
        ({"manifest": [{"type": "file", "spec": "a"}]}, "manifest [0], key: is missing"),
    ],
)
def test_what_is_wrong_with_a_description_is_named(content, said, tmp_path):
    assert said in refused(DESCRIPTIONS, made.write_json(tmp_path / "a.json", content))


def test_a_bare_list_is_the_section_that_people_say(tmp_path):
    """MD-2: file:name?section=S; the rows are those of a file that names its section."""
    path = made.write_json(tmp_path / "runs.json", [{"sweeps": [1, 2]}, {"sweeps": []}])
    assert "--set section=NAME tells it" in refused(DESCRIPTIONS, path)
    told = list(
        DESCRIPTIONS.read(replace(source(path), settings=(("section", "runs"),)), frozenset({"descriptions"}), Report())
    )
    entries = next(rows.columns for rows in told if rows.table == "models.descriptions")
    assert list(zip(entries["section"], entries["entry_index"], entries["entry_json"], strict=True)) == [
        ("runs", 0, '{"sweeps": [1, 2]}'), ("runs", 1, '{"sweeps": []}'),
    ]  # fmt: skip
    with brainlake.create(tmp_path / "lake") as lake:
        lake.ingest(path, as_reader="model_description", settings={"section": "runs"}).raise_failed()
        lake.refresh()
        assert lake.sql("select section, count(*) as n from models.descriptions group by all").pl().rows() == [
            ("runs", 2)
        ]


# NMODL


def test_a_mechanism_is_kept_as_text_with_its_names(tmp_path):
    path = tmp_path / "Itest.mod"
    path.write_text(made.NMODL)
    assert NMODL_READER.sniff(source(path))
    (row,) = read_source(NMODL_READER, path)[0]["models.mechanisms"].to_pylist()
    wanted = {"mechanism": "Itest", "mechanism_kind": "suffix", "title": "Slow test current", "ions": ["na", "k"],
              "range_variables": ["gbar", "g", "ina"], "global_variables": ["tau_min"], "nmodl": made.NMODL}  # fmt: skip
    assert {name: row[name] for name in wanted} == wanted


# All of them


def files(folder):
    """One file of every kind, by the reader that takes it."""
    manifest, mod = folder / "manifest.json", folder / "Itest.mod"
    manifest.write_text(made.MANIFEST_WITH_COMMENTS)
    mod.write_text(made.NMODL)
    literal = folder / "record.txt"
    literal.write_text(repr(made.model_record()))
    return {
        made.write_json(folder / "config.json", {"12": made.glif_config(5)}): "glif_config",
        made.write_json(folder / "bare.json", made.glif_config(2)): "glif_config",
        made.write_archive(folder / "archive.tar.gz", made.archive_members({313860745: "x"}, (1,))): "glif_archive",
        made.write_json(folder / "neuronal_model.json", made.model_record()): "model_records",
        made.write_json(folder / "run.json", made.run_record()): "model_records",
        literal: "model_records",
        made.write_json(folder / "fit.json", made.fit()): "model_description",
        manifest: "model_description",
        mod: "nmodl",
    }


def test_each_file_is_claimed_by_its_reader_alone(tmp_path):
    for path, name in files(tmp_path).items():
        assert registry.choose(source(path)).name == name


def test_files_of_others_are_not_claimed(tmp_path):
    sweeps = [{"id": 1, "specimen_id": 2, "sweep_number": 3, "stimulus_name": "Ramp", "num_spikes": None}]
    contents = [sweeps, {"msg": sweeps}, {"a": 1}, [], {}, 3, "text", {"manifest": {"$A": "b"}}, {"genome": "a"}]
    for n, content in enumerate(contents):
        path = made.write_json(tmp_path / f"{n}.json", content)
        assert not any(r.sniff(source(path)) for r in (GLIF, ARCHIVE, RECORDS, DESCRIPTIONS, NMODL_READER))
    absent = tmp_path / "absent.json"
    assert not any(r.sniff(source(absent)) for r in (GLIF, ARCHIVE, RECORDS, DESCRIPTIONS, NMODL_READER))


def test_corrupted_files_are_read_or_refused(tmp_path):
    """900 variants: bytes changed, cut or repeated. Rows or one SourceError, nothing else."""
    chance = random.Random(5)
    damaged = tmp_path / "damaged.json"
    for path, name in files(tmp_path).items():
        reader, whole = registry.get(name), path.read_bytes()
        for _ in range(900 // 8 + 1):
            data = bytearray(whole)
            kind, at = chance.randrange(4), chance.randrange(len(data))
            if kind == 0:
                data = data[:at]
            elif kind == 1:
                data[at:at] = data[at : at + chance.randrange(200)]
            else:
                for _ in range(chance.randrange(1, 6)):
                    data[chance.randrange(len(data))] = chance.randrange(256)
            damaged.write_bytes(data)
            reader.sniff(source(damaged))
            with contextlib.suppress(SourceError):
                read_all(reader, damaged)
