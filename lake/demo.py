"""A lake to try things on: files generated in the true Allen layouts, and a dozen questions about them.

The recordings are made up (their layout is not): two sessions, the LFP of a probe, and the project's tables.
"""

from __future__ import annotations

import shutil
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import BrainlakeError
from .output import write_answer

if TYPE_CHECKING:
    from .facade import Lake

SESSION, OTHER_SESSION = 791319847, 715093703
ROWS_SHOWN = 8


@dataclass(frozen=True)
class Asked:
    """A question of the demo: what it asks in words, in SQL, and which picture shows it."""

    title: str
    sql: str
    picture: str | None = None


QUESTIONS = (
    Asked(
        "What is here, and what is known but not here?",
        """
        select part, state, count(*) as n_sources, sum(size_bytes)::bigint as size_bytes
        from lake.holdings
        where subject like 'ecephys.%'
        group by all
        order by state, size_bytes desc
        """,
    ),
    Asked(
        "How many units has each area, over all sessions, that pass the default quality filter?",
        """
        select structure_acronym, count(*) as n_units, count(distinct session_id) as n_sessions,
               median(firing_rate) as median_rate
        from ecephys.good_units
        where snr > 1
        group by all
        order by n_units desc, structure_acronym
        """,
    ),
    Asked(
        "Where along the probe do they lie?",
        f"""
        select unit_id, probe_name, probe_vertical_position, structure_acronym, firing_rate
        from ecephys.units
        where session_id = {SESSION}
        order by probe_name, probe_vertical_position
        """,
        "unit_depth",
    ),
    Asked(
        "Which stimuli were shown, how often, with how many conditions?",
        f"""
        select stimulus_name, count(*) as n_presentations, count(distinct stimulus_condition_id) as n_conditions,
               min(start_time) as first_start, max(stop_time) as last_stop
        from ecephys.stimulus_presentations
        where session_id = {SESSION}
        group by all
        order by first_start
        """,
    ),
    Asked(
        "When did every good unit fire around the first flashes?",
        f"""
        with units as (
            select session_id, unit_id
            from ecephys.good_units
            where session_id = {SESSION}),
        flashes as (
            select session_id, start_time as event_time, color as condition
            from ecephys.stimulus_presentations
            where session_id = {SESSION} and stimulus_name = 'flashes'
            order by start_time
            limit 6)
        select unit_id, event_time, condition, time_from_event
        from ecephys.aligned_spikes('units', 'flashes', before := 0.5, after := 1.0)
        order by all
        """,
        "raster",
    ),
    Asked(
        "How do the areas respond to flashes, as peri-stimulus time histograms?",
        f"""
        with units as (
            select *
            from ecephys.good_units
            where session_id = {SESSION} and structure_acronym like 'VIS%'),
        flashes as (
            select session_id, start_time as event_time, color as condition
            from ecephys.stimulus_presentations
            where session_id = {SESSION} and stimulus_name = 'flashes')
        select structure_acronym, condition, bin_start, avg(spikes_per_s) as spikes_per_s
        from ecephys.psth('units', 'flashes', before := 0.1, after := 0.4, bin := 0.01)
        group by all
        order by all
        """,
        "psth",
    ),
    Asked(
        "How often did each unit fire during each natural scene? (zeros are rows as well)",
        f"""
        with units as (
            select session_id, unit_id
            from ecephys.good_units
            where session_id = {SESSION}),
        windows as (
            select session_id, stimulus_presentation_id as window_id, start_time, start_time + 0.25 as stop_time
            from ecephys.stimulus_presentations
            where session_id = {SESSION} and stimulus_name = 'natural_scenes')
        select window_id, unit_id, spike_count
        from ecephys.spike_counts('units', 'windows')
        order by all
        """,
    ),
    Asked(
        "Which is the preferred direction of each unit, from its mean rates?",
        f"""
        with good as (
            select session_id, unit_id
            from ecephys.good_units
            where session_id = {SESSION}),
        gratings as (
            select session_id, stimulus_presentation_id as window_id, start_time, stop_time
            from ecephys.stimulus_presentations
            where session_id = {SESSION} and stimulus_name = 'drifting_gratings' and orientation is not null),
        rates as (
            select r.unit_id, p.orientation, avg(r.spike_count / p.duration) as spikes_per_s
            from ecephys.spike_counts('good', 'gratings') as r
            join ecephys.stimulus_presentations as p
              on p.session_id = r.session_id and p.stimulus_presentation_id = r.window_id
            group by all)
        select unit_id, arg_max(orientation, spikes_per_s) as preferred_direction, max(spikes_per_s) as spikes_per_s
        from rates
        group by all
        order by spikes_per_s desc
        """,
    ),
    Asked(
        "What does the field potential do around the spikes of a unit, along its probe?",
        f"""
        with spikes as (
            select session_id, spike_time as event_time
            from ecephys.spikes
            where session_id = {SESSION} and unit_id = (
                select min(u.unit_id)
                from ecephys.good_units as u
                join ecephys.lfp_channels as c using (session_id, probe_id)
                where u.session_id = {SESSION})),
        channels as (
            select session_id, probe_id, channel_id
            from ecephys.lfp_channels
            where session_id = {SESSION})
        select c.channel_id, c.probe_vertical_position, a.time_from_event, a.lfp
        from ecephys.lfp_average('spikes', 'channels', before := 0.2, after := 0.2) as a
        join ecephys.lfp_channels as c using (session_id, probe_id, channel_id)
        order by all
        """,
        "lfp",
    ),
    Asked(
        "What do the spikes look like?",
        f"""
        select p.unit_id, u.structure_acronym, p.sampling_rate, p.waveform
        from ecephys.peak_waveforms as p
        join ecephys.good_units as u using (session_id, unit_id)
        where p.session_id = {SESSION}
        order by p.unit_id
        limit 5
        """,
        "waveforms",
    ),
    Asked(
        "How do good units of my own classes differ? (my_labels is a frame of ours)",
        """
        select cell_class, count(*) as n_units, avg(u.firing_rate) as firing_rate
        from my_labels
        join ecephys.good_units as u using (unit_id)
        group by all
        order by cell_class
        """,
    ),
    Asked(
        "What came into the lake, when?",
        """
        select snapshot_id, message
        from lake.snapshots
        order by snapshot_id
        """,
    ),
)


def demo(directory: Path, *, replace: bool = False) -> None:
    """Make files, a lake of them and pictures in ``directory``, telling what is done on standard output.

    Raises BrainlakeError where something is in the directory already and ``replace`` is not said, or where it is not
    an earlier demo.
    """
    files, at, pictures = directory / "files", directory / "lake", directory / "pictures"
    _clear(directory, replace)
    pictures.mkdir(parents=True)
    _say(f"Making recordings in {files}")
    _make_files(files)

    from .facade import create

    with create(at) as lake:
        _say(f"$ brainlake --lake {at} ingest {files} --with lfp")
        report = lake.ingest(files, with_parts=["lfp"])
        print(report.summary())
        report.raise_failed()
        frames = {"my_labels": _labels(lake)}
        for number, asked in enumerate(QUESTIONS, 1):
            _answer(lake, number, asked, frames, pictures)
    _say(f'Go on: brainlake --lake {at} sql "from ecephys.sessions"')


def _clear(directory: Path, replace: bool) -> None:
    if not directory.exists() or not any(directory.iterdir()):
        return
    if {entry.name for entry in directory.iterdir()} - {"files", "lake", "pictures"}:
        raise BrainlakeError(f"{directory} holds something else: name another directory")
    if not replace:
        raise BrainlakeError(f"{directory} holds a demo already: --replace makes it anew")
    shutil.rmtree(directory)


def _make_files(folder: Path) -> None:
    from ..tests.fixtures.allen_ecephys import make_probe_lfp, make_session
    from ..tests.fixtures.project_tables import make_project_tables

    folder.mkdir(parents=True)
    first = make_session(folder / f"session_{SESSION}.nwb", session_id=SESSION)
    second = make_session(folder / f"session_{OTHER_SESSION}.nwb", session_id=OTHER_SESSION, seed=1, layout="v1")
    make_probe_lfp(folder / f"probe_{first.probes[0].probe_id}_lfp.nwb", first, probe=0)
    make_project_tables(folder / "project", [first, second])


def _labels(lake: Lake) -> Any:
    """A frame that a user might have: here units by the width of their spikes."""
    return lake.sql(
        """
        select unit_id, if(waveform_duration < 0.4, 'narrow', 'broad') as cell_class
        from ecephys.good_units
        """
    ).pl()


def _answer(lake: Lake, number: int, asked: Asked, frames: dict[str, Any], pictures: Path) -> None:
    query = textwrap.dedent(asked.sql).strip()
    _say(f"{number:2}  {asked.title}")
    print(textwrap.indent(query, "    "), flush=True)
    relation = lake.sql(query, tables={name: frame for name, frame in frames.items() if name in query} or None)
    write_answer(relation.reader(), "table", rows=ROWS_SHOWN)
    if asked.picture:
        path = pictures / f"{number:02}_{asked.picture}.png"
        try:
            import matplotlib
        except ImportError:
            print("    (a picture needs matplotlib: pip install 'brainlake[plots]')")
            return
        matplotlib.use("Agg")
        axes = getattr(relation.plot, asked.picture)()
        axes.figure.savefig(path, dpi=120, bbox_inches="tight")
        print(f"    picture: {path}")


def _say(text: str) -> None:
    """A heading, set apart from answers; bold on a terminal."""
    bold, plain = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")
    print(f"\n{bold}{text}{plain}", flush=True)
