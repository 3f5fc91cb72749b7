"""Opening, and the questions that everything else is made of, on a session of 1,000 units."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import brainlake
import h5py
import numpy as np

from .material import SESSION_ID, Material
from .measure import Row, faster, milliseconds, within

WINDOW, MOMENT = (1000.0, 1600.0), (1000.0, 1010.0)


def opening(material: Material) -> list[Row]:
    root = material.large_lake

    def open_and_ask() -> None:
        with brainlake.open(root) as lake:
            lake.sql("select count(*) from ecephys.sessions").arrow()

    command = [str(Path(sys.executable).with_name("brainlake")), "--lake", str(root), "sql", "select 1"]
    cold = milliseconds(lambda: subprocess.run(command, check=True, capture_output=True), repeat=5)
    return [
        within("open and first query, in Python", milliseconds(open_and_ask), 300),
        within('`brainlake sql "select 1"`, a fresh process', cold, 1000),
    ]


def windows(material: Material) -> list[Row]:
    """One unit over 600 s and all units over 10 s, each against what the file and lazynwb need."""
    path, truth = material.large_session, material.large_truth
    unit = truth.units[500].unit_id
    train = truth.train(unit)
    n_unit = int(((train >= WINDOW[0]) & (train < WINDOW[1])).sum())
    rows = []
    with brainlake.open(material.large_lake) as lake:

        def ours_unit(block: str = "") -> int:
            spikes = lake.sql(
                "select spike_time from ecephys.spikes "
                f"where session_id = $session and unit_id = $unit and spike_time >= $a and spike_time < $b {block}",
                {"session": SESSION_ID, "unit": unit, "a": WINDOW[0], "b": WINDOW[1]},
            ).arrow()
            return len(spikes)

        def ours_plain() -> int:
            return len(
                lake.sql(
                    "select unit_id, spike_time from ecephys.spikes "
                    "where session_id = $session and time_block = 1 and spike_time >= $a and spike_time < $b",
                    {"session": SESSION_ID, "a": MOMENT[0], "b": MOMENT[1]},
                ).arrow()
            )

        def ours_all() -> int:
            return len(
                lake.sql(f"""
                    with units as (select session_id, unit_id from ecephys.units where session_id = {SESSION_ID}),
                         windows as (
                            select {SESSION_ID} as session_id, 0 as window_id,
                                   {MOMENT[0]}::double as start_time, {MOMENT[1]}::double as stop_time)
                    select unit_id, spike_time from ecephys.spikes_in('units', 'windows')""").arrow()
            )

        n_all, blocks = _h5py_all(path), "and time_block in (1, 2)"
        found = ours_unit(), ours_unit(blocks), ours_all(), ours_plain()
        if found != (n_unit, n_unit, n_all, n_all):
            raise RuntimeError(f"ours: {found} spikes; truth: {n_unit}, {n_all}")
        ours = milliseconds(ours_unit), milliseconds(ours_all)
        blocked = milliseconds(lambda: ours_unit(blocks)), milliseconds(ours_plain)
        totals = milliseconds(
            lambda: lake.sql(f"select unit_id, n_spikes from ecephys.units where session_id = {SESSION_ID}").arrow()
        )
    rows.append(within("one unit, 600 s, its blocks named", blocked[0], 20))
    rows.append(within("one unit, 600 s", ours[0], 20))
    rows.append(within("all units, 10 s, its block named", blocked[1], 50))
    rows.append(within("all units, 10 s, by ecephys.spikes_in", ours[1], 50))
    rows.append(Row("every unit's number of spikes", totals))
    rows.append(faster("one unit, 600 s", ours[0], milliseconds(lambda: _h5py_unit(path, 500), 3), "h5py"))
    rows.append(faster("one unit, 600 s", ours[0], milliseconds(lambda: _lazynwb_unit(path, unit), 3), "lazynwb"))
    rows.append(faster("all units, 10 s", ours[1], milliseconds(lambda: _h5py_all(path), 1, 0), "h5py"))
    return rows


def analyses(material: Material) -> list[Row]:
    """Whole questions of a session."""
    with brainlake.open(material.large_lake) as lake:

        def good_units() -> None:
            lake.sql("""
                select structure_acronym, count(*) as n_units, median(firing_rate) as median_rate
                from ecephys.good_units where structure_acronym in ('VISp', 'VISl', 'LGd', 'CA1')
                group by all order by n_units desc""").arrow()

        def psth() -> None:
            lake.sql(f"""
                with units as (
                    from ecephys.good_units where session_id = {SESSION_ID} and structure_acronym like 'VIS%'),
                flashes as (
                    select session_id, start_time as event_time, color as condition
                    from ecephys.stimulus_presentations
                    where session_id = {SESSION_ID} and stimulus_name = 'flashes')
                select structure_acronym, condition, bin_start, avg(spikes_per_s) as spikes_per_s
                from ecephys.psth('units', 'flashes', before := 0.1, after := 0.4, bin := 0.01)
                group by all order by all""").arrow()

        return [
            within("good units by area", milliseconds(good_units), 1000),
            within("PSTH of every visual unit to flashes", milliseconds(psth, 3), 2000),
        ]


def _h5py_unit(path: Path, row: int) -> int:
    with h5py.File(path) as file:
        units = file["units"]
        start, stop = units["spike_times_index"][row - 1 : row + 1]
        times = units["spike_times"][start:stop]
        return int(np.searchsorted(times, WINDOW[1]) - np.searchsorted(times, WINDOW[0]))


def _h5py_all(path: Path) -> int:
    with h5py.File(path) as file:
        times = file["units/spike_times"][()]
    return int(((times >= MOMENT[0]) & (times < MOMENT[1])).sum())


def _lazynwb_unit(path: Path, unit: int) -> int:
    import lazynwb
    import polars as pl

    units = lazynwb.scan_nwb(path, "units", disable_progress=True)
    times = units.filter(pl.col("id") == unit).select("spike_times").collect()["spike_times"][0].to_numpy()
    return int(np.searchsorted(times, WINDOW[1]) - np.searchsorted(times, WINDOW[0]))
