"""Sessions, probes, channels, units, spikes and waveforms: one truth from overlapping sources."""

from __future__ import annotations

from typing import Any

import pytest
from brainlake.lake.questions import standard
from brainlake.tests.fixtures.memory import memory_connection

GOOD = {"quality": "good", "amplitude_cutoff": 0.1, "presence_ratio": 0.95, "isi_violations": 0.5}  # on every limit


def rows(con, sql: str) -> list[tuple[Any, ...]]:
    return con.execute(sql).fetchall()


def columns(*records: dict[str, Any]) -> dict[str, list[Any]]:
    """Records to columns; what a record leaves out is NULL."""
    names = dict.fromkeys(name for record in records for name in record)
    return {name: [record.get(name) for record in records] for name in names}


def nwb_session(session_id: int, **more: Any) -> dict[str, Any]:
    return {"session_id": session_id, "source_session_id": str(session_id), "source_layout": "allen_v2", **more}


def nwb_channel(session_id: int, channel_id: int, **more: Any) -> dict[str, Any]:
    return {"session_id": session_id, "channel_id": channel_id, "source_channel_id": str(channel_id), **more}


def nwb_unit(session_id: int, unit_id: int, **more: Any) -> dict[str, Any]:
    return {"session_id": session_id, "unit_id": unit_id, "source_unit_id": str(unit_id), **more}


def train(session_id: int, unit_id: int, block: int, **more: Any) -> dict[str, Any]:
    n_spikes = len(more.get("spike_ticks") or more.get("spike_times") or [])
    return {"session_id": session_id, "time_block": block, "unit_id": unit_id, "n_spikes": n_spikes, **more}


@pytest.fixture(scope="module")
def empty():
    con = memory_connection()
    yield con
    con.close()


@pytest.fixture(scope="module")
def lake():
    """Session 1 from its file and the project, 2 from the project alone, 3 from a merged table alone."""
    con = memory_connection(
        {
            "ecephys.nwb_sessions": columns(nwb_session(1, session_type="from the file", specimen_name="Sst-1")),
            "ecephys.project_sessions": columns(
                {"session_id": 1, "session_type": "from the project", "specimen_id": 77, "sex": "F"},
                {"session_id": 2, "session_type": "brain_observatory_1.1", "sex": "M"},
            ),
            "ecephys.nwb_probes": columns(
                {"session_id": 1, "probe_id": 10, "name": "probeA", "source_probe_id": "10", "sampling_rate": 29999.5},
            ),
            "ecephys.project_probes": columns(
                {"session_id": 1, "probe_id": 10, "name": "A", "phase": "3a", "sampling_rate": 30000.0},
                {"session_id": 2, "probe_id": 805579698, "name": "probeB"},
            ),
            "ecephys.nwb_channels": columns(
                nwb_channel(1, 100, probe_id=10, local_index=0, structure_acronym="VISp", ap_um=1.0, valid_data=True),
                nwb_channel(1, 101, probe_id=10, local_index=1, structure_acronym="LGd", ap_um=2.0, valid_data=True),
                nwb_channel(1, 102, probe_id=10, local_index=2, structure_acronym="CA1", ap_um=3.0, valid_data=False),
                nwb_channel(1, 103, probe_id=10, local_index=3, structure_acronym="somewhere", ap_um=4.0),
            ),
            "ecephys.nwb_lfp_channels": columns(
                nwb_channel(1, 100, probe_id=10, local_index=0, column_index=0, lfp_sampling_rate=1250.0),
                nwb_channel(1, 104, probe_id=10, local_index=4, column_index=1, structure_acronym="DG"),
            ),
            "ecephys.project_channels": columns(
                {"channel_id": 100, "probe_id": 10, "structure_id": 409, "structure_acronym": "VISl", "ap_um": 9.0},
                {"channel_id": 101, "probe_id": 10},  # the project knows it as out of the brain
                {"channel_id": 200, "probe_id": 805579698, "local_index": 71, "structure_id": 1, "structure_acronym": "X"},
                {"channel_id": 201, "probe_id": 805579698, "local_index": 72, "structure_id": 1, "structure_acronym": "X"},
                {"channel_id": 202, "probe_id": 805579698, "local_index": 155, "structure_id": 1},
            ),
            "ecephys.nwb_units": columns(
                nwb_unit(1, 1000, peak_channel_id=100, probe_id=10, firing_rate=5.0, **GOOD),
                nwb_unit(1, 1001, peak_channel_id=101, **GOOD),
                nwb_unit(1, 1002, peak_channel_id=102, **GOOD),
                nwb_unit(1, 1003, peak_channel_id=104, **{**GOOD, "quality": "noise"}),
                nwb_unit(1, 1004, peak_channel_id=104, **{**GOOD, "amplitude_cutoff": None}),
                nwb_unit(1, 1005, peak_channel_id=104, **{**GOOD, "isi_violations": 0.51}),
                nwb_unit(1, 1006, peak_channel_id=104, **{**GOOD, "presence_ratio": 0.94}),
                nwb_unit(1, 1007, peak_channel_id=104, **{**GOOD, "quality": None}),
            ),
            "ecephys.project_units": columns(
                {"unit_id": 1000, "peak_channel_id": 100, "firing_rate": 6.0, **GOOD},
                {"unit_id": 2000, "peak_channel_id": 201, "firing_rate": 7.0, **GOOD},
            ),
            "ecephys.annotated_units": columns(
                {"session_id": 2, "unit_id": 2000, "peak_channel_id": 201, "firing_rate": 8.0},
                {
                    "session_id": 3, "unit_id": 3000, "peak_channel_id": 300, "probe_id": 30, "probe_name": "probeC",
                    "session_type": "functional_connectivity", "structure_id": 382, "structure_acronym": "CA1",
                    "firing_rate": 9.0, **GOOD,
                },
            ),
            "ecephys.unit_layers": columns({"unit_id": 1000, "cortical_layer": 5, "cortical_depth": 0.6}),
            "ecephys.published_unit_metrics": columns(
                {"unit_id": 1000, "run_pval_dg": 0.25, "fano_ns": 1.5, "fano_dg": 2.0}, {"unit_id": 5000}
            ),
            "ecephys.annotated_unit_metrics": columns(
                {"unit_id": 1000, "run_pval_dg": 0.9}, {"unit_id": 3000, "run_pval_dg": 0.8}
            ),
            "ecephys.unit_latencies": columns({"unit_id": 1000, "time_to_first_spike_fl": 0.05}),
            "ecephys.spike_trains": columns(
                train(1, 1000, 0, clock_rate=10.0, clock_shift=0.5, spike_ticks=[5, 6, 15], spike_amplitudes=[1.0, 2.0, 3.0]),
                train(1, 1000, 1, clock_rate=10.0, clock_shift=0.5, spike_ticks=[6005], spike_amplitudes=[4.0]),
                train(1, 1001, 0, spike_times=[0.25, 0.25, 7.5]),
                train(1, 1004, 0, spike_times=[], spike_amplitudes=[]),
            ),
            "ecephys.invalid_times": columns(
                {"session_id": 1, "invalid_time_id": 0, "start_time": 0.1, "stop_time": 1.0, "label": "probeA",
                 "tags": ["EcephysProbe", "10", "probeA"]},
                {"session_id": 1, "invalid_time_id": 1, "start_time": 600.0, "stop_time": 601.0, "label": "stimulus",
                 "tags": ["EcephysSession", "1", "stimulus"]},
                {"session_id": 1, "invalid_time_id": 2, "start_time": 7.5, "stop_time": 8.0, "label": "all_probes",
                 "tags": ["EcephysSession", "1", "all_probes"]},
            ),
            "ecephys.nwb_waveforms": columns(
                {"session_id": 1, "unit_id": 1000, "channel_id": 100, "waveform_index": 0, "is_peak": True,
                 "waveform": [0.0, -8.0, 4.0]},
                {"session_id": 1, "unit_id": 1000, "channel_id": 102, "waveform_index": 2, "is_peak": False,
                 "waveform": [0.0, 0.0, 0.0]},
                {"session_id": 1, "unit_id": 1000, "channel_id": 103, "waveform_index": 3, "is_peak": False,
                 "sampling_rate": 2.0, "waveform": [1.0, 2.0]},
                {"session_id": 1, "unit_id": 1001, "waveform_index": 0, "is_peak": True, "waveform": [5.0]},
            ),
            "ecephys.csd_channels": columns(
                {"session_id": 1, "probe_id": 10, "virtual_channel_index": 3, "vertical_position": 30.0,
                 "timestamps": [-0.1, 0.0], "csd": [1.5, -2.5]},
            ),
        }
    )  # fmt: skip
    yield con
    con.close()


VIEWS = [q for q in standard().values() if q.kind == "view" and q.name.split(".")[0] in ("ecephys", "behavior", "nwb")]
WRITTEN_OUT = ("ecephys.structure_patches", "ecephys.structure_acronym_ids")  # their rows are in the SQL


@pytest.mark.parametrize("name", [q.name for q in VIEWS])
def test_every_view_answers_on_an_empty_lake(empty, name):
    """No rows; and no type that other engines break on."""
    relation = empty.sql(f"from {name}")
    assert bool(relation.fetchall()) == (name in WRITTEN_OUT)
    types = " ".join(str(kind) for kind in relation.types)
    assert "DECIMAL" not in types
    assert "HUGEINT" not in types


@pytest.mark.parametrize("question", VIEWS, ids=lambda q: q.name)
def test_a_view_describes_its_columns_in_their_order(empty, question):
    assert list(question.docs) == empty.sql(f"from {question.name}").columns


def test_a_session_is_told_by_its_file_then_the_project_then_a_merged_table(lake):
    assert rows(
        lake,
        "select session_id, session_type, specimen_id, sex, in_nwb, in_project, in_annotated "
        "from ecephys.sessions order by 1",
    ) == [
        (1, "from the file", 77, "F", True, True, False),
        (2, "brain_observatory_1.1", None, "M", False, True, True),
        (3, "functional_connectivity", None, None, False, False, True),
    ]


def test_a_probe_keeps_its_files_name_and_rate_and_takes_the_rest_from_the_project(lake):
    assert rows(lake, "select probe_id, session_id, name, phase, sampling_rate from ecephys.probes order by 1") == [
        (10, 1, "probeA", "3a", 29999.5),
        (30, 3, "probeC", None, None),
        (805579698, 2, "probeB", None, None),
    ]


def test_the_projects_place_of_a_channel_wins_also_where_it_is_out_of_the_brain(lake):
    assert rows(
        lake,
        "select channel_id, session_id, structure_acronym, structure_id, ap_um, valid_data "
        "from ecephys.channels where session_id = 1 order by 1",
    ) == [
        (100, 1, "VISl", 409, 9.0, True),
        (101, 1, None, None, None, True),
        (102, 1, "CA1", 382, 3.0, False),  # not in the project's table: the file's acronym, its id from the list
        (103, 1, "somewhere", None, 4.0, None),
        (104, 1, "DG", 726, None, None),  # in the LFP file alone
    ]


def test_patched_probes_have_the_patchs_structures_and_keep_the_original(lake):
    """Probe 805579698: CA1 in channels 0-71, VISam in 72-154, out of the brain above (spec 2.3)."""
    assert rows(
        lake,
        "select local_index, structure_acronym, structure_id, structure_acronym_original, structure_id_original "
        "from ecephys.channels where is_patched order by 1",
    ) == [(71, "CA1", 382, "X", 1), (72, "VISam", 394, "X", 1), (155, None, None, None, 1)]


def test_the_patch_covers_eight_probes_in_runs_that_do_not_overlap(empty):
    assert rows(empty, "select count(distinct probe_id) from ecephys.structure_patches") == [(8,)]
    assert rows(
        empty,
        "select count(*) from ecephys.structure_patches as a join ecephys.structure_patches as b "
        "on a.probe_id = b.probe_id and a.first_local_index < b.first_local_index "
        "and a.last_local_index >= b.first_local_index",
    ) == [(0,)]
    # acronym and id agree with the list of acronyms
    assert rows(
        empty,
        "select count(*) from ecephys.structure_patches as p "
        "join ecephys.structure_acronym_ids as i using (structure_acronym) where p.structure_id = i.structure_id",
    ) == [(21,)]


def test_a_unit_appears_once_from_the_best_source_that_has_it(lake):
    assert rows(
        lake,
        "select unit_id, session_id, source, firing_rate, probe_id, structure_acronym, session_type "
        "from ecephys.units where unit_id in (1000, 2000, 3000) order by 1",
    ) == [
        (1000, 1, "nwb", 5.0, 10, "VISl", "from the file"),
        (2000, 2, "project", 7.0, 805579698, "VISam", "brain_observatory_1.1"),
        (3000, 3, "annotated", 9.0, 30, "CA1", "functional_connectivity"),
    ]
    assert rows(lake, "select count(*), count(distinct unit_id) from ecephys.units") == [(10, 10)]


def test_a_unit_whose_channel_the_project_lacks_appears_once_with_the_session_of_its_file():
    con = memory_connection(
        {
            "ecephys.nwb_units": columns(nwb_unit(1, 1000, peak_channel_id=100)),
            "ecephys.project_units": columns(
                {"unit_id": 1000, "peak_channel_id": 100}, {"unit_id": 1001, "peak_channel_id": 101}
            ),
        }
    )
    query = "select unit_id, session_id, source from ecephys.units order by 1"
    assert rows(con, query) == [(1000, 1, "nwb"), (1001, None, "project")]  # nothing tells the other's session
    con.close()


def test_a_units_place_probe_and_layer_travel_with_it(lake):
    assert rows(
        lake,
        "select probe_name, probe_phase, probe_sampling_rate, channel_local_index, ap_um, cortical_layer, "
        "cortical_depth, specimen_name, sex from ecephys.units where unit_id = 1000",
    ) == [("probeA", "3a", 29999.5, 0, 9.0, 5, 0.6, "Sst-1", "F")]


def test_the_default_filter_keeps_limits_and_unknown_quality_and_drops_the_rest(lake):
    """1001 is out of the brain, 1002 on an unusable channel, 1003 noise, 1004 unmeasured, 1005 and 1006 beyond."""
    assert rows(lake, "select unit_id from ecephys.good_units order by 1") == [(1000,), (1007,), (2000,), (3000,)]


def test_good_units_is_the_default_of_filter_units_with_the_same_columns(lake):
    good = "from ecephys.good_units order by unit_id"
    default = "from ecephys.filter_units() order by unit_id"
    assert lake.sql(good).columns == lake.sql(default).columns == lake.sql("from ecephys.units").columns
    assert rows(lake, good) == rows(lake, default)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        # OD-18: with a filter off, a unit that lacks the metric is dropped all the same ...
        ("amplitude_cutoff_max := null", [1000, 1007, 2000, 3000]),
        # ... and kept where corrected
        ("amplitude_cutoff_max := null, corrected := true", [1000, 1004, 1007, 2000, 3000]),
        ("corrected := true", [1000, 1007, 2000, 3000]),
        ("isi_violations_max := 1", [1000, 1005, 1007, 2000, 3000]),
        ("presence_ratio_min := null", [1000, 1006, 1007, 2000, 3000]),
        ("presence_ratio_min := 0.96", []),
        ("quality_wanted := null", [1000, 1003, 1007, 2000, 3000]),
        ("in_brain := false", [1000, 1001, 1007, 2000, 3000]),
        ("valid_channel := false", [1000, 1002, 1007, 2000, 3000]),
    ],
)
def test_each_filter_can_be_moved_or_turned_off(lake, arguments, expected):
    found = rows(lake, f"select unit_id from ecephys.filter_units({arguments}) order by 1")
    assert [unit for (unit,) in found] == expected


def test_spikes_come_from_ticks_or_times_with_their_amplitudes(lake):
    """tick / 10 Hz - 0.5 s; unit 1001 has stored times and no amplitudes; unit 1004 has no spike."""
    assert rows(
        lake,
        "select unit_id, spike_time, spike_amplitude, time_block from ecephys.spikes "
        "where session_id = 1 order by 1, 2",
    ) == [
        (1000, 0.0, 1.0, 0),
        (1000, 6 / 10 - 0.5, 2.0, 0),
        (1000, 1.0, 3.0, 0),
        (1000, 600.0, 4.0, 1),
        (1001, 0.25, None, 0),
        (1001, 0.25, None, 0),
        (1001, 7.5, None, 0),
    ]


def test_a_whole_train_is_its_blocks_in_order_and_an_empty_one_is_empty(lake):
    assert rows(lake, "from ecephys.unit_spike_trains order by unit_id") == [
        (1, 1000, 4, [0.0, 6 / 10 - 0.5, 1.0, 600.0], [1.0, 2.0, 3.0, 4.0]),
        (1, 1001, 3, [0.25, 0.25, 7.5], None),
        (1, 1004, 0, [], []),
    ]


def test_valid_spikes_leave_out_intervals_of_the_probe_or_of_all_probes_ends_included(lake):
    """Unit 1000 is on probeA, bad in [0.1, 1.0]; 1001 is too; 7.5 begins an interval of all probes; a tag
    'stimulus' is no reason to leave spikes out."""
    expected = [(1000, 0.0), (1000, 6 / 10 - 0.5), (1000, 600.0)]
    assert 6 / 10 - 0.5 < 0.1  # in floating point, so it lies before the interval
    assert rows(lake, "select unit_id, spike_time from ecephys.valid_spikes order by 1, 2") == expected


def test_invalid_times_are_found_by_whole_tags(lake):
    query = "select invalid_time_id from ecephys.invalid_times_tagged({}) order by 1"
    assert rows(lake, query.format("['probeA', 'all_probes']")) == [(0,), (2,)]
    assert rows(lake, query.format("['probe']")) == []
    assert rows(lake, query.format("['stimulus'], session := 1")) == [(1,)]


def test_waveforms_keep_usable_channels_and_peak_waveforms_keep_all(lake):
    """Channel 102's data are not usable; unit 1001's channel is not known."""
    assert rows(lake, "select unit_id, channel_id, local_index, sampling_rate from ecephys.waveforms order by 2") == [
        (1000, 100, 0, 29999.5),
        (1000, 103, 3, 2.0),
    ]
    assert rows(lake, "select unit_id, channel_id, waveform from ecephys.peak_waveforms order by 1") == [
        (1000, 100, [0.0, -8.0, 4.0]),
        (1001, None, [5.0]),
    ]


def test_waveform_samples_have_a_time_axis(lake):
    assert rows(
        lake,
        "select sample, time_from_start, waveform from ecephys.waveform_samples where channel_id = 103 order by 1",
    ) == [(0, 0.0, 1.0), (1, 0.5, 2.0)]


def test_csd_is_one_row_a_sample(lake):
    assert rows(lake, "select vertical_position, time_from_event, csd from ecephys.csd order by 2") == [
        (30.0, -0.1, 1.5),
        (30.0, 0.0, -2.5),
    ]


def test_lfp_channels_are_those_of_probe_files_with_the_projects_structure(lake):
    assert rows(
        lake,
        "select channel_id, probe_name, column_index, structure_acronym, lfp_sampling_rate "
        "from ecephys.lfp_channels order by 1",
    ) == [(100, "probeA", 0, "VISl", 1250.0), (104, "probeA", 1, "DG", None)]


def test_tuning_metrics_prefer_the_published_table_and_answer_to_the_guides_names(lake):
    assert rows(
        lake,
        "select unit_id, session_id, source, structure_acronym, run_pval_dg, p_run_mod_dg, fano_factor_ns, fano_dg, "
        "time_to_first_spike_fl from ecephys.unit_analysis_metrics order by 1",
    ) == [
        (1000, 1, "published", "VISl", 0.25, 0.25, 1.5, 2.0, 0.05),
        (3000, 3, "published", "CA1", 0.8, 0.8, None, None, None),
        (5000, None, "published", None, None, None, None, None, None),  # the lake does not know the unit
    ]


def test_structure_intervals_follow_local_index_and_runs_follow_the_list():
    """Channels 1-5 of a probe lie in A A B A and out of the brain. OD-16: the list's order is not sorted."""
    con = memory_connection(
        {
            "ecephys.nwb_channels": columns(
                *(
                    nwb_channel(
                        1, i, probe_id=10, local_index=i, probe_vertical_position=20.0 * i,
                        structure_acronym=acronym, structure_id=structure,
                    )
                    for i, acronym, structure in [(1, "A", 7), (2, "A", 7), (3, "B", 8), (4, "A", 7), (5, None, None)]
                )
            )
        }
    )  # fmt: skip
    assert rows(
        con,
        "select interval_index, structure_acronym, first_channel_id, last_channel_id, first_index, stop_index, "
        "n_channels, lowest_position, highest_position "
        "from ecephys.channel_structure_intervals('ecephys.channels') order by 1",
    ) == [
        (0, "A", 1, 2, 0, 2, 2, 20.0, 40.0),
        (1, "B", 3, 3, 2, 3, 1, 60.0, 60.0),
        (2, "A", 4, 4, 3, 4, 1, 80.0, 80.0),
        (3, None, 5, 5, 4, 5, 1, 100.0, 100.0),
    ]
    runs = "select run_index, structure_acronym, first_index, stop_index from ecephys.channel_structure_runs({}) order by 1"
    assert rows(con, runs.format("[1, 3, 2, 4]")) == [(0, "A", 0, 1), (1, "B", 1, 2), (2, "A", 2, 4)]
    assert rows(con, runs.format("(select list(channel_id order by local_index desc) from ecephys.channels)")) == [
        (0, None, 0, 1),
        (1, "A", 1, 2),
        (2, "B", 2, 3),
        (3, "A", 3, 5),
    ]
    con.close()
