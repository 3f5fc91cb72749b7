"""Spikes aligned to events and windows: counts, PSTHs, the reference's relations, each against counting by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from brainlake.lake.parquet import to_table
from brainlake.lake.tables import TABLES
from brainlake.tests.fixtures.memory import memory_connection

RATE, SHIFT = 29_999.970_056_059_1, 3.21
# Unit 7 fires on the edges of windows and around the end of a time block (600 s), unit 8 once, unit 9 never.
TRAINS = {7: [0.0, 0.5, 1.0, 599.95, 599.99, 600.0], 8: [0.5]}


def spike_trains(trains: dict[int, list[float]], session: int = 1) -> dict[str, list[Any]]:
    rows: dict[str, list[Any]] = {name: [] for name in ("session_id", "time_block", "unit_id", "n_spikes")}
    rows |= {"spike_times": [], "spike_amplitudes": []}
    for unit, times in trains.items():
        for block in sorted({int(t // 600) for t in times}):
            inside = [t for t in times if t // 600 == block]
            for name, value in zip(
                rows, (session, block, unit, len(inside), inside, [t / 1000 for t in inside]), strict=True
            ):
                rows[name].append(value)
    return rows


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    con = memory_connection(
        {
            "ecephys.spike_trains": spike_trains(TRAINS),
            "ecephys.optogenetic_stimulation": {
                "session_id": [1, 1], "trial_id": [0, 1], "start_time": [0.495, 2.0], "stop_time": [0.505, 3.0],
                "duration": [0.01, 1.0],
            },
            "behavior.running_speed": {
                "session_id": [1, 1, 1], "timestamp": [0.5, 0.75, 1.0], "stop_time": [0.75, 1.0, 1.25],
                "speed": [2.0, 4.0, 10.0],
            },
            "behavior.eye_tracking": {
                "session_id": [1, 1], "timestamp": [0.5, 0.6], "pupil_height": [1.0, None], "pupil_width": [2.0, None],
            },
        }
    )  # fmt: skip
    con.execute("create table units as from (values (1, 7, 'VISp'), (1, 8, 'LGd'), (1, 9, null)) t(session_id, unit_id, structure_acronym)")  # fmt: skip
    con.execute("create table events as from (values (1, 0.5::double, 'on'), (1, 600, 'on'), (1, 1, null)) t(session_id, event_time, condition)")  # fmt: skip
    con.execute("""create table presentations as from (values (1, 10, 100, 0.5::double, 1.0::double), (1, 11, 100, 1.0, 1.5),
        (1, 12, 101, 599.5, 600.5), (1, 13, null, 2.0, 3.0))
        t(session_id, stimulus_presentation_id, stimulus_condition_id, start_time, stop_time)""")
    yield con
    con.close()


def rows(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return con.execute(query).fetchall()


def counts(con: duckdb.DuckDBPyConnection, windows: str, unit: int = 7) -> list[int]:
    query = f"""
        with windows as (select 1 as session_id, * from (values {windows}) t(window_id, start_time, stop_time))
        select spike_count from ecephys.spike_counts('units', 'windows') where unit_id = {unit} order by window_id"""
    return [n for (n,) in rows(con, query)]


class TestSpikeCounts:
    def test_are_half_open(self, con: duckdb.DuckDBPyConnection) -> None:
        assert counts(con, "(0, 0.0, 0.5), (1, 0.5, 1.0), (2, 0.4, 0.6)") == [1, 1, 1]

    def test_are_zero_where_a_unit_is_silent_or_has_no_spikes_at_all(self, con: duckdb.DuckDBPyConnection) -> None:
        assert counts(con, "(0, 0.0, 0.5), (1, 0.5, 0.6), (2, 650, 651)", unit=8) == [0, 1, 0]
        assert counts(con, "(0, 0.0, 0.5), (1, 590, 610)", unit=9) == [0, 0]

    def test_add_up_over_time_blocks(self, con: duckdb.DuckDBPyConnection) -> None:
        assert counts(con, "(0, 599.9, 600.1), (1, 599.9, 600.0), (2, 600.0, 601), (3, 0, 10000)") == [3, 2, 1, 6]

    def test_take_windows_outside_of_the_recording_and_without_end(self, con: duckdb.DuckDBPyConnection) -> None:
        assert counts(con, "(0, -10::double, -5), (1, 1e9, 2e9), (2, '-inf', 'inf'), (3, 5, 2)") == [0, 0, 6, 0]

    def test_leave_out_windows_without_a_stop(self, con: duckdb.DuckDBPyConnection) -> None:
        assert counts(con, "(0, 0.0, 1.0), (1, 0.0, null), (2, 'nan'::double, 1.0)") == [2]

    def test_count_each_pair_once_even_if_a_unit_is_named_twice(self, con: duckdb.DuckDBPyConnection) -> None:
        query = """with twice as (from units union all from units), w as (select 1 as session_id, 0 as window_id,
            0.0 as start_time, 1.0 as stop_time) from ecephys.spike_counts('twice', 'w') order by unit_id"""
        assert rows(con, query) == [(1, 0, 7, 2), (1, 0, 8, 1), (1, 0, 9, 0)]

    def test_pair_units_only_with_windows_of_their_session(self, con: duckdb.DuckDBPyConnection) -> None:
        query = """with w as (select 2 as session_id, 0 as window_id, 0.0 as start_time, 1.0 as stop_time)
            from ecephys.spike_counts('units', 'w')"""
        assert rows(con, query) == []

    def test_name_a_column_that_is_missing(self, con: duckdb.DuckDBPyConnection) -> None:
        with pytest.raises(duckdb.BinderException, match=r"windows.*stop_time"):
            rows(con, """with w as (select 1 as session_id, 0 as window_id, 0.0 as start_time)
                from ecephys.spike_counts('units', 'w')""")  # fmt: skip

    def test_equal_searching_in_numpy_on_a_clock(self) -> None:
        """40 units on a 30 kHz clock over four blocks; windows unsorted, overlapping, some on spikes exactly."""
        rng = np.random.default_rng(1)
        ticks = {unit: np.sort(rng.integers(100_000, 70_000_000, rng.integers(0, 3_000))) for unit in range(40)}
        trains = {unit: k / RATE - SHIFT for unit, k in ticks.items()}
        table: dict[str, list[Any]] = {n: [] for n in ("session_id", "time_block", "unit_id", "n_spikes")}
        table |= {"clock_rate": [], "clock_shift": [], "spike_ticks": []}
        for unit, train in trains.items():
            for block in np.unique(train // 600):
                inside = ticks[unit][train // 600 == block]
                for name, value in zip(table, (1, int(block), unit, len(inside), RATE, SHIFT, inside), strict=True):
                    table[name].append(value)
        start = np.concatenate([rng.uniform(-10, 2_500, 500), trains[0][:200], trains[1][:50]])
        stop = start + rng.choice([0, 0.1, 1.0, 700.0], len(start))
        con = memory_connection({"ecephys.spike_trains": table})
        units = {"session_id": np.ones(40, np.int64), "unit_id": np.arange(40)}
        windows = {"session_id": np.ones(len(start), np.int64), "window_id": np.arange(len(start))}
        con.register("u", pa.table(units))
        con.register("w", pa.table(windows | {"start_time": start, "stop_time": stop}))
        got = con.execute(
            "select spike_count from ecephys.spike_counts('u', 'w') order by unit_id, window_id"
        ).fetchnumpy()["spike_count"]
        con.close()
        expected = [np.searchsorted(t, stop) - np.searchsorted(t, start) for t in trains.values()]
        assert got.tolist() == np.concatenate(expected).tolist()
        assert got.sum() > 10_000


class TestAlignedSpikes:
    def test_carry_the_units_columns_the_condition_and_a_trial(self, con: duckdb.DuckDBPyConnection) -> None:
        got = rows(
            con,
            """select unit_id, structure_acronym, condition, trial, event_time, spike_time, time_from_event
            from ecephys.aligned_spikes('units', 'events', before := 0.25, after := 0.5) order by all""",
        )
        assert got == [
            (7, "VISp", "on", 1, 0.5, 0.5, 0.0),
            (7, "VISp", "on", 2, 600.0, 599.95, 599.95 - 600),
            (7, "VISp", "on", 2, 600.0, 599.99, 599.99 - 600),
            (7, "VISp", "on", 2, 600.0, 600.0, 0.0),
            (7, "VISp", None, 3, 1.0, 1.0, 0.0),
            (8, "LGd", "on", 1, 0.5, 0.5, 0.0),
        ]  # fmt: skip

    def test_need_no_condition(self, con: duckdb.DuckDBPyConnection) -> None:
        got = rows(
            con,
            """with licks as (select session_id, event_time from events)
            select distinct condition from ecephys.aligned_spikes('units', 'licks')""",
        )
        assert got == [(None,)]

    def test_keep_amplitudes_with_their_spikes(self, con: duckdb.DuckDBPyConnection) -> None:
        got = rows(
            con,
            """with w as (select 1 as session_id, 'w' as window_id, 599.9 as start_time, 601 as stop_time)
            select spike_time, spike_amplitude from ecephys.spikes_in('units', 'w') order by all""",
        )
        assert [t for t, _ in got] == [599.95, 599.99, 600.0]
        assert [a for _, a in got] == pytest.approx([0.59995, 0.59999, 0.6], rel=1e-6)


class TestPsth:
    def test_is_the_mean_rate_in_each_bin_zeros_included(self, con: duckdb.DuckDBPyConnection) -> None:
        got = rows(
            con,
            """select unit_id, condition, bin_start, spikes_per_s, n_events
            from ecephys.psth('units', 'events', before := 0.1, after := 0.1, bin := 0.1) order by all""",
        )
        assert got == [
            (7, "on", -0.1, 10.0, 2), (7, "on", 0.0, 10.0, 2), (7, None, -0.1, 0.0, 1), (7, None, 0.0, 10.0, 1),
            (8, "on", -0.1, 0.0, 2), (8, "on", 0.0, 5.0, 2), (8, None, -0.1, 0.0, 1), (8, None, 0.0, 0.0, 1),
            (9, "on", -0.1, 0.0, 2), (9, "on", 0.0, 0.0, 2), (9, None, -0.1, 0.0, 1), (9, None, 0.0, 0.0, 1),
        ]  # fmt: skip

    def test_has_as_many_whole_bins_as_fit(self, con: duckdb.DuckDBPyConnection) -> None:
        query = "select distinct bin_start from ecephys.psth('units', 'events', before := 0.1, after := 0.4) order by 1"
        starts = [start for (start,) in rows(con, query)]
        assert starts == [round(i * 0.01 - 0.1, 9) for i in range(50)]

    def test_agrees_with_counting_windows(self, con: duckdb.DuckDBPyConnection) -> None:
        """The same bins as windows of spike_counts: one definition of an edge."""
        got = rows(
            con,
            """
            with bins as (
                select session_id, {'condition': condition, 'bin': b} as window_id,
                    event_time + round(b * 0.02::double - 0.1, 9) as start_time,
                    event_time + round((b + 1) * 0.02::double - 0.1, 9) as stop_time
                from events cross join range(10) r(b)),
            counted as (
                select unit_id, window_id.condition as condition, round(window_id.bin * 0.02::double - 0.1, 9) as bin_start,
                    sum(spike_count) as n
                from ecephys.spike_counts('units', 'bins') group by all)
            select count(*), count(*) filter (where round(p.spikes_per_s * p.n_events * 0.02) = c.n)
            from ecephys.psth('units', 'events', before := 0.1, after := 0.1, bin := 0.02) as p
            join counted as c on c.unit_id = p.unit_id and c.bin_start = p.bin_start
                and c.condition is not distinct from p.condition""",
        )
        assert got == [(60, 60)]  # 3 units x 2 conditions x 10 bins

    def test_answers_on_an_empty_lake(self) -> None:
        empty = memory_connection()
        empty.execute("create table events (session_id bigint, event_time double)")
        for query in ("from ecephys.psth('ecephys.units', 'events')", "from ecephys.aligned_spikes('ecephys.units', 'events')"):  # fmt: skip
            assert empty.execute(query).fetchall() == []
        empty.close()


class TestTheReferencesRelations:
    def test_spike_times_exclude_the_onset_and_include_the_end(self, con: duckdb.DuckDBPyConnection) -> None:
        """OD-42, and the correction."""
        query = """select stimulus_presentation_id, spike_time, time_since_stimulus_presentation_onset
            from ecephys.presentationwise_spike_times('presentations', 'units'{}) where unit_id = 7 order by all"""
        late = [(12, 599.95, 599.95 - 599.5), (12, 599.99, 599.99 - 599.5), (12, 600.0, 0.5)]
        assert rows(con, query.format("")) == [(10, 1.0, 0.5), *late]
        assert rows(con, query.format(", corrected := true")) == [(10, 0.5, 0.0), (11, 1.0, 0.0), *late]

    def test_counts_have_closed_bins(self, con: duckdb.DuckDBPyConnection) -> None:
        """OD-14, and the correction: spikes at 0.5 and 1.0, edges at 0.5, 1.0 and 1.5."""
        query = """select spike_count from ecephys.presentationwise_spike_counts('presentations', 'units', [0, 0.5, 1]{})
            where unit_id = 7 and stimulus_presentation_id = 10 order by bin_index"""
        assert rows(con, query.format("")) == [(2,), (1,)]
        assert rows(con, query.format(", corrected := true")) == [(1,), (1,)]
        assert rows(con, query.format(", binarize := true")) == [(1,), (1,)]

    def test_counts_refuse_edges_that_do_not_ascend(self, con: duckdb.DuckDBPyConnection) -> None:
        with pytest.raises(duckdb.Error, match="bin_edges must ascend"):
            rows(con, "from ecephys.presentationwise_spike_counts('presentations', 'units', [1, 0])")

    def test_presentations_whose_bins_reach_into_the_next_are_told(self, con: duckdb.DuckDBPyConnection) -> None:
        """Onsets at 0, 1 and 1.25 s, and of another session at 0.5 s: bins of [-0.5, 1) s overlap by 0.5 and 1.25 s."""
        con.execute("""create or replace temp view shown as
            select * from (values (1, 10, 0.0), (1, 12, 1.25), (1, 11, 1.0), (2, 20, 0.5))
                as p(session_id, stimulus_presentation_id, start_time)""")
        query = "select * exclude (session_id) from ecephys.overlapping_presentations('shown', {}) order by 1"
        assert rows(con, query.format("[-0.5, 0, 1]")) == [(10, 11, 0.5), (11, 12, 1.25)]
        assert rows(con, query.format("[0, 0.25]")) == []

    def test_condition_statistics_cover_silent_units_and_leave_out_invalid_presentations(
        self, con: duckdb.DuckDBPyConnection
    ) -> None:
        """OD-27: zeros where the reference fails. One presentation has no deviation."""
        got = rows(
            con,
            """select unit_id, stimulus_condition_id, spike_count, stimulus_presentation_count, spike_mean,
            spike_std, spike_sem from ecephys.conditionwise_spike_statistics('presentations', 'units') order by all""",
        )
        assert got == [
            (7, 100, 1, 2, 0.5, pytest.approx(0.5**0.5), pytest.approx(0.5)),
            (7, 101, 3, 1, 3.0, None, None),
            (8, 100, 0, 2, 0.0, 0.0, 0.0),
            (8, 101, 0, 1, 0.0, None, None),
            (9, 100, 0, 2, 0.0, 0.0, 0.0),
            (9, 101, 0, 1, 0.0, None, None),
        ]  # fmt: skip

    def test_condition_statistics_of_rates(self, con: duckdb.DuckDBPyConnection) -> None:
        got = rows(
            con,
            """select spike_count, spike_mean
            from ecephys.conditionwise_spike_statistics('presentations', 'units', use_rates := true)
            where unit_id = 7 order by stimulus_condition_id""",
        )
        assert got == [(None, 1.0), (None, 3.0)]  # (1 / 0.5 s + 0 / 0.5 s) / 2; 3 / 1 s

    def test_condition_psth_has_closed_bins(self, con: duckdb.DuckDBPyConnection) -> None:
        """Mean over presentations at 0.5 and 1.0 of spikes in [0, 0.5]: (2 + 1) / 2; in [0, 0.5): 1."""
        query = """select spike_mean from ecephys.conditionwise_psth('presentations', 'units', [0, 0.5]{})
            where unit_id = 7 and stimulus_condition_id = 100"""
        assert rows(con, query.format("")) == [(1.5,)]
        assert rows(con, query.format(", corrected := true")) == [(1.0,)]

    def test_presentation_statistics_know_the_running_speed(self, con: duckdb.DuckDBPyConnection) -> None:
        got = rows(
            con,
            """select stimulus_presentation_id, spike_counts, running_speed
            from ecephys.presentationwise_statistics('presentations', 'units', 0.5) where unit_id = 7 order by all""",
        )
        assert got == [(10, 2, 3.0), (11, 1, 10.0), (12, 3, None), (13, 0, None)]

    def test_opto_evoked_rates_count_bins_of_half_a_millisecond(self, con: duckdb.DuckDBPyConnection) -> None:
        """A trial of 10 ms at 0.495 s, a spike 5 ms later; one bin in 8 ms is 125 a second. Long trials do not count."""
        got = rows(
            con,
            """select unit_id, n_trials, baseline_rate, evoked_rate, evoked_ratio, is_cre_positive
            from ecephys.opto_evoked_rates('units') where unit_id > 7 order by all""",
        )
        evoked = got[0][3]
        assert evoked in (125.0, 250.0)  # on an edge a closed bin counts it twice (OD-14)
        assert got == [(8, 1, 0.0, evoked, evoked, True), (9, 1, 0.0, 0.0, 0.0, False)]


class TestIntervalsAndLags:
    def test_intervals_go_on_over_time_blocks(self, con: duckdb.DuckDBPyConnection) -> None:
        got = rows(con, "select interval from ecephys.interspike_intervals('units') order by spike_time")
        assert [i for (i,) in got] == [0.5, 0.5, 599.95 - 1, 599.99 - 599.95, 600 - 599.99]

    def test_the_histogram_has_empty_bins(self, con: duckdb.DuckDBPyConnection) -> None:
        got = rows(
            con,
            """select unit_id, interval_start, n_intervals
            from ecephys.isi_histogram('units', bin := 0.5, max_interval := 1) order by all""",
        )
        assert got == [(7, 0.0, 2), (7, 0.5, 2), (8, 0.0, 0), (8, 0.5, 0), (9, 0.0, 0), (9, 0.5, 0)]

    def test_an_autocorrelogram_is_symmetric_but_for_its_edges(self, con: duckdb.DuckDBPyConnection) -> None:
        """Lags of 0.5 s fall in [-0.5, -0.25), not in [0.25, 0.5); no spike is paired with itself."""
        got = rows(
            con,
            """select n_pairs from ecephys.autocorrelogram('units', bin := 0.25, max_lag := 0.5)
            where unit_id = 7 order by lag_start""",
        )
        assert got == [(2,), (3,), (3,), (0,)]

    def test_a_crosscorrelogram_says_who_follows(self, con: duckdb.DuckDBPyConnection) -> None:
        """Unit 8 at 0.5; unit 7 at 0.0 and 0.5 and 1.0."""
        got = rows(
            con,
            """select lag_start, n_pairs from ecephys.crosscorrelogram('units', 'units', bin := 0.5, max_lag := 1)
            where unit_id = 8 and other_unit_id = 7 order by all""",
        )
        assert got == [(-1.0, 0), (-0.5, 1), (0.0, 1), (0.5, 1)]

    def test_correlations_of_means_and_of_variability(self, con: duckdb.DuckDBPyConnection) -> None:
        """Means 2, 7 and 3, 0.5: opposed. z-scores -1, 1, -1, 1 and -1, 1, 1, -1: unrelated."""
        trials = """with responses as (
            select 1 as session_id, unnest([7, 7, 7, 7, 8, 8, 8, 8]) as unit_id, unnest([1, 2, 3, 4, 1, 2, 3, 4]) as window_id,
                unnest(['a', 'a', 'b', 'b', 'a', 'a', 'b', 'b']) as condition, unnest([1, 3, 5, 9, 2, 4, 1, 0]) as spike_count)"""
        assert rows(con, f"{trials} select unit_id, other_unit_id, correlation, n_conditions from ecephys.signal_correlations('responses')") == [(7, 8, -1.0, 2)]  # fmt: skip
        assert rows(con, f"{trials} select unit_id, other_unit_id, correlation, n_trials from ecephys.noise_correlations('responses')") == [(7, 8, 0.0, 4)]  # fmt: skip


class TestBehaviourAroundEvents:
    def test_running(self, con: duckdb.DuckDBPyConnection) -> None:
        got = rows(
            con, "select event_time, speed, n_intervals from ecephys.running_at('events', after := 0.5) order by 1"
        )
        assert got == [(0.5, 3.0, 2), (1.0, 10.0, 1), (600.0, None, 0)]

    def test_pupil(self, con: duckdb.DuckDBPyConnection) -> None:
        """A circle on the longer half axis; a frame without a pupil does not count."""
        got = rows(con, "select event_time, pupil_area, n_frames from ecephys.pupil_at('events') order by 1")
        assert got == [(0.5, pytest.approx(4 * np.pi), 1), (1.0, None, 0), (600.0, None, 0)]

    def test_any_trace(self, con: duckdb.DuckDBPyConnection) -> None:
        got = rows(
            con,
            """select event_time, time_from_event, speed
            from ecephys.aligned_trace('behavior.running_speed', 'events', before := 0.25, after := 0.25) order by all""",
        )
        assert got == [(0.5, 0.0, 2.0), (1.0, -0.25, 4.0), (1.0, 0.0, 10.0)]


def test_no_relation_returns_types_other_engines_break_on(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("create or replace temp view windows as select session_id, stimulus_presentation_id as window_id, start_time, stop_time from presentations")  # fmt: skip
    for call in (
        "spike_counts('units', 'windows')", "spikes_in('units', 'windows')", "firing_rates('units', 'windows')",
        "aligned_spikes('units', 'events')", "psth('units', 'events')", "isi_histogram('units')",
        "interspike_intervals('units')", "autocorrelogram('units')", "crosscorrelogram('units', 'units')",
        "conditionwise_spike_statistics('presentations', 'units')", "opto_evoked_rates('units')",
        "conditionwise_psth('presentations', 'units', [0, 0.5])", "running_at('events')", "pupil_at('events')",
        "presentationwise_spike_counts('presentations', 'units', [0, 0.5])",
        "overlapping_presentations('presentations', [0, 0.5])", "presentationwise_spike_times('presentations', 'units')",
        "presentationwise_statistics('presentations', 'units', 0.25)",
    ):  # fmt: skip
        types = [str(kind) for kind in con.sql(f"from ecephys.{call}").types]
        assert not [kind for kind in types if "DECIMAL" in kind or "HUGEINT" in kind or "BLOB" in kind], call


def test_a_window_reads_the_trains_of_its_time_block_only(tmp_path: Path) -> None:
    """Two sessions of four blocks, a file and a row group each: one of four is read, of one file."""
    con = memory_connection()
    for session in (1, 2):
        trains = to_table(
            TABLES["ecephys.spike_trains"], spike_trains({7: [100.0, 700.0, 1300.0, 1900.0]}, session), ingest_id=1
        )
        (tmp_path / f"session_id={session}").mkdir()
        pq.write_table(trains, tmp_path / f"session_id={session}" / "trains.parquet", row_group_size=1)
    con.execute("drop table ecephys.spike_trains")
    con.execute(
        f"create view ecephys.spike_trains as from read_parquet('{tmp_path}/*/*.parquet', hive_partitioning=true)"
    )
    query = """explain analyze
        with units as (select unnest([1, 2]) as session_id, 7 as unit_id),
        w as (select 1 as session_id, 0 as window_id, 650.0 as start_time, 750.0 as stop_time)
        from ecephys.spikes_in('units', 'w')"""
    plan = con.execute(query).fetchall()[0][1]
    con.close()
    assert re.search(r"Row Groups Scanned: 1 / 4\b", plan)
