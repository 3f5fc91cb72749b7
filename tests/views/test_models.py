"""What is asked of models, over files in their true layouts."""

from __future__ import annotations

import json

import duckdb
import h5py
import matplotlib as mpl
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from brainlake.ingest import registry
from brainlake.ingest.contract import Source
from brainlake.ingest.icephys_samples import packed
from brainlake.lake.output import write_answer
from brainlake.lake.questions import below, standard
from brainlake.tests.fixtures import model_files as made
from brainlake.tests.fixtures.memory import memory_connection
from brainlake.tests.fixtures.reading import read_source
from brainlake.udfs.glif import simulate_glif
from brainlake.views.plots import models as plots

mpl.use("Agg")
CELL, MODEL = 314804042, 473863510


ASKED = below([name for name in standard() if name.startswith("models.")], standard())
QUESTIONS = {name: question for name, question in standard().items() if name in ASKED}


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    """A perisomatic model with record, fit and manifest; a GLIF model of the API; two cells of the archive."""
    folder = tmp_path_factory.mktemp("models")
    manifest = folder / "manifest.json"
    manifest.write_text(made.MANIFEST_WITH_COMMENTS)
    glif_record = made.model_record(
        486558431, CELL, neuronal_model_template_id=395310498, neuronal_model_template={}, neuronal_model_runs=[],
        specimen={}, well_known_files=[],
    )  # fmt: skip
    paths = [
        manifest,
        made.write_json(folder / f"{CELL}_fit.json", made.fit()),
        made.write_json(folder / "neuronal_model.json", made.model_record(MODEL, CELL)),
        made.write_json(folder / "glif.json", glif_record),
        made.write_json(folder / "listed.json", [made.model_record(MODEL, 1, name="from a list"), made.model_record(9, 8)]),
        made.write_json(folder / "neuron_config.json", {"486558431": made.glif_config(5)}),
        made.write_archive(folder / "a.tar.gz", made.archive_members({313860745: "Rorb", 313861608: "Pvalb"})),
    ]  # fmt: skip
    connection = connection_over(paths)
    yield connection
    connection.close()


def connection_over(paths):
    rows: dict[str, list[pa.Table]] = {}
    for path in paths:
        found, _ = read_source(registry.choose(Source(path, str(path))), path)
        for name, table in found.items():
            rows.setdefault(name, []).append(table)
    return memory_connection({name: pa.concat_tables(tables) for name, tables in rows.items()}, QUESTIONS)


def fetch(con, query, *values):
    return con.execute(query, list(values)).fetchall()


def test_the_seven_templates_are_always_known(con):
    templates = fetch(con, "select glif_level from models.templates order by all")
    assert [level for (level,) in templates] == [1, 2, 3, 4, 5, None, None]


def test_a_model_is_told_of_by_its_record_before_a_list_and_by_its_file_alone(con):
    found = dict(
        fetch(con, "select neuronal_model_id, neuronal_model_name from models.neuronal_models where is_recorded")
    )
    assert found == {MODEL: "Biophysical - perisomatic_line", 9: "Biophysical - perisomatic_line",
                     486558431: "Biophysical - perisomatic_line"}  # fmt: skip
    query = """
        select specimen_id, neuronal_model_template_id, has_parameters from models.neuronal_models
        where neuronal_model_id = ? """
    assert fetch(con, query, MODEL) == [(CELL, 329230710, True)]
    assert fetch(con, query, 9) == [(8, 329230710, False)]
    levels = fetch(con, """
        select specimen_id, glif_level, neuronal_model_template_id from models.neuronal_models
        where not is_recorded order by all limit 5""")  # fmt: skip
    templates = [395310469, 395310479, 395310475, 471355161, 395310498]
    assert levels == [(313860745, n + 1, template) for n, template in enumerate(templates)]


def test_models_are_found_by_cell_and_kind(con):
    def found(arguments):
        return [n for (n,) in fetch(con, f"select neuronal_model_id from models.find_models({arguments}) order by 1")]

    assert found(f"specimens := [{CELL}]") == [MODEL, 486558431]
    assert found(f"specimens := [{CELL}], templates := [329230710, 491455321]") == [MODEL]
    assert len(found("")) == 13  # ten of the archive, three recorded


def test_runs_files_and_sweeps_of_a_model(con):
    assert fetch(con, "select specimen_id, explained_variance_ratio from models.neuronal_model_runs where "
                      f"neuronal_model_id = {MODEL}") == [(CELL, 0.75)]  # fmt: skip
    files = fetch(con, f"""
        select file_kind, bundle_path from models.model_files where neuronal_model_id = {MODEL} order by all""")  # fmt: skip
    assert files == [
        ("fit", "314804042_fit.json"), ("marker", "line_marker_m.swc"), ("modfiles", "modfiles/Ih.mod"),
        ("morphology", "line_m.swc"), ("stimulus", "314804040.nwb"),
    ]  # fmt: skip
    by_type = fetch(con, f"""
        select stimulus_name, sweep_numbers from models.sweeps_by_type where neuronal_model_id = {MODEL}
        order by all""")  # fmt: skip
    assert by_type == [("Long Square", [4, 5]), ("Ramp", [7])]  # Test is left out


def test_a_run_of_the_producer_s_own_is_answered_for_as_a_record_is(tmp_path):
    con = connection_over([made.write_json(tmp_path / "run.json", made.run_record(MODEL, CELL))])
    files = fetch(con, f"""
        select file_kind, bundle_path from models.model_files where neuronal_model_id = {MODEL} and file_kind is not null
        order by all""")  # fmt: skip
    assert files == [
        ("fit", "314804042_fit.json"), ("marker", "line_41.marker"), ("modfiles", "modfiles/Ih.mod"),
        ("modfiles", "modfiles/NaTs.mod"), ("morphology", "line_41.swc"), ("stimulus", "314804040.nwb"),
    ]  # fmt: skip
    by_type = (
        f"select stimulus_name, sweep_numbers from models.sweeps_by_type where neuronal_model_id = {MODEL} order by all"
    )
    assert fetch(con, by_type) == [("Long Square", [4, 5]), ("Ramp", [7])]
    manifest = json.loads(fetch(con, f"select manifest_json from models.bundle_manifest({MODEL})")[0][0])
    assert manifest["runs"][0]["sweeps_by_type"] == {"Long Square": [4, 5], "Ramp": [7]}
    assert manifest["biophys"][0] == {
        "model_file": ["manifest.json", "314804042_fit.json"], "model_type": "Biophysical - perisomatic",
    }  # fmt: skip
    con.close()


def test_a_cell_s_own_list_of_sweeps_goes_before_that_of_a_record(con):
    own = memory_connection({
        "icephys.api_sweeps": {"specimen_id": [CELL], "sweep_number": [11], "stimulus_name": ["Ramp"]},
        "models.model_records": con.sql("select * exclude ingest_id from models.model_records").to_arrow_table(),
        "models.model_record_sweeps":
            con.sql("select * exclude ingest_id from models.model_record_sweeps").to_arrow_table(),
    }, QUESTIONS)  # fmt: skip
    query = f"select sweep_number from models.model_sweeps where neuronal_model_id = {MODEL}"
    assert fetch(own, query) == [(11,)]


def test_parameters_of_a_glif_model_in_columns_and_in_rows(con):
    (row,) = fetch(con, """
        select specimen_id, tau_m, th_inf_absolute, glif_level from models.glif_models
        where neuronal_model_id = 486558431""")  # fmt: skip
    assert row == pytest.approx((CELL, 0.02, 1.02 * 0.023 - 0.0714, 5))
    rows = fetch(con, """
        select method_type, parameter_name, element_index, parameter_value from models.glif_parameters
        where neuronal_model_id = 486558431 and method_name in ('sum', 'v_before') order by all""")  # fmt: skip
    assert rows == [
        ("AScurrent_reset_method", "r", 0, 1.0), ("AScurrent_reset_method", "r", 1, 1.0),
        ("voltage_reset_method", "a", 0, 0.4), ("voltage_reset_method", "b", 0, 0.004),
    ]  # fmt: skip
    assert json.loads(fetch(con, "select config_json from models.glif_config(486558431)")[0][0]) == made.glif_config(5)


@pytest.mark.parametrize(("model", "said"), [(1, "unknown: there is no model 1"), (9, "absent: model 9 is known")])
def test_a_model_that_is_not_here_is_said_to_be_so(con, model, said):
    with pytest.raises(Exception, match=said):
        fetch(con, f"from models.glif_config({model})")


def test_the_level_that_explains_a_cell_best(con):
    best = fetch(con, """
        select v.specimen_id, arg_max(g.glif_level, v.explained_variance_ratio)
        from models.glif_explained_variance as v
        join models.glif_models as g using (neuronal_model_id)
        where v.optimization_stage = 'after_opt' and v.noise_name = 'noise_1'
        group by all order by all""")  # fmt: skip
    assert best == [(313860745, 5), (313861608, 5)]


SIMULATED = """
    with cells as (from models.glif_models where specimen_id = 313860745),
    steps as (
        select 1 as stimulus_id, list_transform(range(4000), lambda i: case when i < 500 then 0 else 3e-10 end) as stimulus,
            20000 as sampling_rate
        union all
        select 2, list_transform(range(300), lambda i: 1e-10), null)
    select * from models.simulate_glif('cells', 'steps'{options}) order by stimulus_id, neuronal_model_id"""


def test_every_model_runs_on_every_stimulus(con):
    runs = con.sql(SIMULATED.format(options="")).to_arrow_table().to_pylist()
    assert [(r["stimulus_id"], len(r["voltage"])) for r in runs] == [(1, 4000)] * 5 + [(2, 300)] * 5
    levels = dict(fetch(con, "select neuronal_model_id, glif_level from models.glif_models"))
    stimulus = np.where(np.arange(4000) < 500, 0.0, 3e-10)
    for run in runs[:5]:
        own = simulate_glif(made.glif_config(levels[run["neuronal_model_id"]]), stimulus)
        np.testing.assert_array_equal(run["voltage"], own.voltage)
        np.testing.assert_array_equal(np.transpose(run["ascurrents"]), own.ascurrents)
        assert run["spike_time_steps"] == own.spike_time_steps.tolist()
        assert run["n_spikes"] == len(own.spike_time_steps) > 2
        np.testing.assert_array_equal(run["corrected_spike_voltage"], own.corrected_spike_voltage)


def test_only_spikes_where_traces_are_not_wanted_and_a_value_for_the_gaps(con):
    runs = con.sql(SIMULATED.format(options=", traces := false")).to_arrow_table().to_pylist()
    assert all(not r["voltage"] and not r["threshold"] for r in runs)
    cut = con.sql(SIMULATED.format(options=", spike_cut_value := 0.05")).to_arrow_table().to_pylist()
    assert [r["spike_time_steps"] for r in runs] == [r["spike_time_steps"] for r in cut]
    first = cut[0]
    assert first["voltage"][first["spike_time_steps"][0]] == 0.05
    assert np.isnan(first["threshold"][first["spike_time_steps"][0]])  # only the potential is filled, as the reference


def test_a_changed_parameter_in_sql(con):
    query = """
        with cells as (
            select 1 as neuronal_model_id, config_json from models.glif_config(486558431)
            union all
            select 2, json_merge_patch(config_json, '{"coeffs": {"th_inf": 9.0}}') from models.glif_config(486558431)),
        steps as (select 1 as stimulus_id, list_transform(range(4000), lambda i: 3e-10) as stimulus)
        select n_spikes > 0 from models.simulate_glif('cells', 'steps') order by neuronal_model_id"""
    assert fetch(con, query) == [(True,), (False,)]


def test_a_model_runs_on_the_recorded_sweeps_of_its_own_cell(con):
    """Not on test sweeps, at the recording's rate, with 50 mV while a spike lasts (GL-6)."""
    stimulus = np.full(3000, 3e-10, np.float32)
    numbers, names = [1, 2, 3], ["Test", "Long Square", "Ramp"]
    own = memory_connection({
        "models.glif_configs": con.sql("""
            select * exclude (ingest_id, specimen_id), 77 as specimen_id from models.glif_configs
            where neuronal_model_id = 486558431""").to_arrow_table(),
        **recorded(77, numbers, names, stimulus, 40_000.0),
    }, QUESTIONS)  # fmt: skip
    query = "from models.simulate_glif_recorded('models.glif_models'{}) order by sweep_number"
    runs = own.sql(query.format("")).to_arrow_table().to_pylist()
    assert [(r["specimen_id"], r["sweep_number"], r["stimulus_name"]) for r in runs] == [
        (77, 2, "Long Square"), (77, 3, "Ramp"),
    ]  # fmt: skip
    direct = simulate_glif(made.glif_config(5), stimulus, dt=1 / 40_000)
    assert runs[0]["dt"] == 1 / 40_000
    np.testing.assert_array_equal(runs[0]["voltage"], np.nan_to_num(direct.voltage, nan=0.05))
    assert runs[0]["interpolated_spike_times"] == direct.interpolated_spike_times.tolist()
    assert runs[0]["el_reference"] == -0.0714
    assert len(own.execute(query.format(", sweep := 3")).fetchall()) == 1


def test_a_run_is_written_as_the_recording_it_answers_to(con, tmp_path):
    """Sweeps of an NWB file with the model's potential for a response, and its spikes (CT-128)."""
    stimulus = np.full(3000, 3e-10, np.float32)
    own = memory_connection({
        "models.glif_configs": con.sql("""
            select * exclude (ingest_id, specimen_id), 77 as specimen_id from models.glif_configs
            where neuronal_model_id = 486558431""").to_arrow_table(),
        **recorded(77, [1, 2], ["Test", "Ramp"], stimulus, 40_000.0),
    }, QUESTIONS)  # fmt: skip
    for options, rest in (("", 0.0), (", from_rest := false", -0.0714)):
        answer = own.sql(f"from models.glif_sweeps_to_export(486558431{options})").to_arrow_reader(10)
        write_answer(answer, None, tmp_path / "run.nwb")
        direct = simulate_glif(made.glif_config(5), stimulus, dt=1 / 40_000)
        with h5py.File(tmp_path / "run.nwb") as file:
            assert sorted(file["acquisition/timeseries"]) == ["Sweep_2"]
            written = file["acquisition/timeseries/Sweep_2/data"][:]
            np.testing.assert_allclose(written, np.nan_to_num(direct.voltage, nan=0.05) + rest, rtol=1e-6)
            np.testing.assert_array_equal(file["stimulus/presentation/Sweep_2/data"][:], stimulus)
            assert file["analysis/spike_times/Sweep_2"][:].tolist() == direct.interpolated_spike_times.tolist()
    with pytest.raises(duckdb.Error, match="there is no model 12"):
        own.execute("from models.glif_sweeps_to_export(12)").fetchall()


def recorded(specimen, numbers, names, stimulus, rate):
    """Rows of a recording in current clamp, each sweep with the same stimulus."""
    n = len(numbers)
    sweeps = {
        "specimen_id": [specimen] * n, "sweep_number": numbers, "file_id": [1] * n, "stimulus_name": names,
        "clamp_mode": ["current_clamp"] * n, "sampling_rate": [rate] * n, "source_rank": [1] * n, "n_samples": [len(stimulus)] * n, "n_stimulus_samples": [len(stimulus)] * n,
        "response_unit": ["V"] * n, "stimulus_unit": ["A"] * n,
    }  # fmt: skip
    samples = packed(np.asarray(stimulus, np.float32))
    traces = {
        "specimen_id": [specimen] * n,
        "sweep_number": numbers,
        "stimulus_bytes": [samples] * n,
        "response_bytes": [samples] * n,
    }
    return {"icephys.nwb_sweeps": sweeps, "icephys.stored_traces": traces}


def test_a_fit_is_known_by_the_record_that_names_its_file(con):
    query = (
        "select neuronal_model_id, id_source, specimen_id, model_type, ra, fit_sweeps from models.biophysical_models"
    )
    assert fetch(con, query) == [(MODEL, "record", CELL, "Biophysical - perisomatic", 35.5, [38])]


def test_a_fit_comes_back_from_its_rows(con):
    ((document,),) = fetch(con, "select document_json from models.fit_documents")
    assert json.loads(document) == made.fit()


def test_description_files_merge_section_by_section(con):
    query = """
        with files as (
            select description_id, case description_kind when 'manifest' then 1 else 2 end as file_index
            from models.description_files),
        merged as (from models.merged_descriptions('files'))
        select section, count(*), max(entry_index), any_value(is_reserved) from merged group by all order by all"""
    assert fetch(con, query) == [
        ("axon_morph", 1, 0, False), ("biophys", 1, 0, False), ("conditions", 1, 0, False), ("fitting", 1, 0, False),
        ("genome", 2, 1, False), ("manifest", 12, 11, True), ("neuron", 1, 0, False), ("passive", 1, 0, False),
        ("runs", 1, 0, False),
    ]  # fmt: skip


def test_paths_of_a_manifest_follow_parent_keys_and_the_last_entry(con):
    paths = {key: (path, lost) for key, path, lost in fetch(con, """
        select entry_key, resolved_path, is_unresolved from models.manifest_paths""")}  # fmt: skip
    assert paths == {
        "BASEDIR": (".", False),
        "WORKDIR": ("work", False),
        "IGNORED": ("elsewhere", False),  # `parent` is ignored
        "MORPHOLOGY": ("cell.swc", False),
        "EPHYS_DATA": ("work/specimen_%d/ephys.nwb", False),
        "BELOW": ("work/data/one.nwb", False),  # what has a parent lies in it
        "ABSOLUTE": ("/data", False),
        "IN_ABSOLUTE": ("/data/two_%s.nwb", False),
        "LOST": ("x", True),
        "ROUND": (paths["ROUND"][0], True),
    }
    manifest = "(select description_id from models.description_files where description_kind = 'manifest')"
    asked = f"select resolved_path from models.manifest_path({manifest}, "
    assert fetch(con, asked + "'EPHYS_DATA', arguments := [464212183])") == [("work/specimen_464212183/ephys.nwb",)]
    with pytest.raises(Exception, match=r"unknown: manifest .* has no key NOTHING"):
        fetch(con, asked + "'NOTHING')")
    references = fetch(con, "select section, member, resolved_path from models.resolved_references")
    assert references == [("runs", "morphology", "cell.swc")]


@pytest.mark.parametrize(
    ("expected", "verdict"),
    [
        ("'1.1'", (True, False)),
        ("'1.2'", (False, True)),
        ("'1.0'", (False, False)),
        ("1.1", (False, None)),  # a number is no text
        ("null", (False, None)),
    ],
)
def test_a_manifest_is_of_the_expected_version_or_older_or_neither(con, expected, verdict):
    manifest = "(select description_id from models.description_files where description_kind = 'manifest')"
    asked = f"select found_version, is_expected, is_outdated from models.manifest_version({manifest}, {expected})"
    assert fetch(con, asked) == [('"1.1"', *verdict)]


@pytest.mark.parametrize(
    ("entries", "verdicts"),
    [
        (
            [{"type": "manifest_version", "value": 1.3}],
            {"1.3": ("1.3", True, False), "10.0": ("1.3", False, True), "1": ("1.3", False, False),
             "'1.3'": ("1.3", False, None), "null": ("1.3", False, None)},
        ),
        ([], {"1.3": (None, False, None), "'1.3'": (None, False, None), "null": (None, True, None)}),
    ],
)  # fmt: skip
def test_versions_that_are_numbers_compare_as_numbers(tmp_path, entries, verdicts):
    path = made.write_json(tmp_path / "m.json", {"manifest": [*entries, {"key": "A", "type": "dir", "spec": "a"}]})
    con = connection_over([path])
    ((manifest,),) = fetch(con, "select description_id from models.description_files")
    asked = f"select found_version, is_expected, is_outdated from models.manifest_version({manifest}, {{}})"
    assert {given: fetch(con, asked.format(given))[0] for given in verdicts} == verdicts


def test_the_manifest_of_a_download_has_the_sweeps_by_type_that_running_needs(con):
    manifest = json.loads(fetch(con, f"select manifest_json from models.bundle_manifest({MODEL})")[0][0])
    assert manifest["biophys"] == [
        {"model_file": ["manifest.json", "314804042_fit.json"], "model_type": "Biophysical - perisomatic"}
    ]
    assert manifest["runs"] == [{"sweeps": [4, 5, 7], "sweeps_by_type": {"Long Square": [4, 5], "Ramp": [7]}}]
    assert manifest["neuron"] == [{"hoc": ["stdgui.hoc", "import3d.hoc"]}]
    specs = {entry["key"]: entry["spec"] for entry in manifest["manifest"]}
    assert specs == {
        "BASEDIR": ".", "WORKDIR": "work", "MORPHOLOGY": "line_m.swc", "MARKER": "line_marker_m.swc",
        "MODFILE_DIR": "modfiles", "CODE_DIR": "templates", "stimulus_path": "314804040.nwb",
        "output_path": "314804040.nwb",
    }  # fmt: skip


def test_a_manifest_needs_a_record(con):
    with pytest.raises(Exception, match="unknown: there is no record of model 4"):
        fetch(con, "from models.bundle_manifest(4)")


def test_a_run_is_drawn_in_three_panels_with_spikes_where_the_lines_cross(con, tmp_path):
    frame = pl.from_arrow(con.sql(SIMULATED.format(options="")).to_arrow_table())
    panel = plots.glif_run(frame, stop=0.15)
    currents, potential, drive = panel.figure.axes[0].child_axes
    assert panel is currents
    labels = [currents.get_xlabel(), currents.get_ylabel(), potential.get_ylabel(), drive.get_ylabel()]
    assert labels == ["time (s)", "after-spike (pA)", "from rest (mV)", "stimulus (pA)"]
    (spikes,) = (line for line in potential.lines if line.get_label() == "spike")
    times = frame["interpolated_spike_times"][0].to_numpy()
    assert spikes.get_xdata().tolist() == times[times < 0.15].tolist()
    panel.figure.savefig(tmp_path / "run.png")
    with pytest.raises(ValueError, match="glif_run needs a column dt"):
        plots.glif_run(pl.DataFrame({"nothing": [1]}))
    without = pl.from_arrow(con.sql(SIMULATED.format(options=", traces := false")).to_arrow_table())
    with pytest.raises(ValueError, match="without them"):
        plots.glif_run(without)
