"""The questions of the demo, by domain."""

from __future__ import annotations

from dataclasses import dataclass

SESSION, OTHER_SESSION, CELL, INJECTED = 791319847, 715093703, 464212183, 600000001


@dataclass(frozen=True)
class Asked:
    """A question of the demo: what it asks in words, in SQL, and which picture shows it."""

    title: str
    sql: str
    picture: str | None = None


EXTRACELLULAR = (
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
)

PATCHED_CELLS = (
    Asked(
        "Which cells were patched, and how do their published features compare?",
        """
        select species, dendrite_type, count(*) as n_cells, median(vrest_mv) as median_vrest_mv,
               median(upstroke_downstroke_ratio_long_square) as median_upstroke_downstroke_ratio
        from icephys.cells
        left join icephys.published_ephys_features using (specimen_id)
        group by all
        order by n_cells desc, species, dendrite_type
        """,
    ),
    Asked(
        "What did one cell do in a sweep? (its samples come as two lists)",
        f"""
        select specimen_id, sweep_number, stimulus_name, clamp_mode, sampling_rate, stimulus, response
        from icephys.sweep({CELL}, 5)
        """,
        "sweep",
    ),
    Asked(
        "Which spikes are in it, and how fast do they rise and fall?",
        f"""
        select spike_index, threshold_t, threshold_v_mv, peak_v_mv, fast_trough_v_mv, spike_width, upstroke,
               downstroke
        from icephys.spike_features
        where specimen_id = {CELL} and sweep_number = 5
        order by spike_index
        """,
    ),
    Asked(
        "How does its rate grow with the current?",
        f"""
        select sweep_number, stim_amp_pa, avg_rate, f_i_curve_slope
        from icephys.fi_curves
        where specimen_id = {CELL}
        order by stim_amp_pa
        """,
        "fi_curve",
    ),
    Asked(
        "What was measured on it from its sweeps, and what could not be?",
        f"""
        select input_resistance_mohm, tau, v_baseline_mv, sag, rheobase_i_pa, f_i_curve_slope, adaptation, status
        from icephys.cell_features
        where specimen_id = {CELL}
        """,
    ),
    Asked(
        "What does it look like?",
        f"""
        select node_id, parent_id, node_type, x, y, z, radius
        from morphology.nodes_of({CELL})
        order by node_id
        """,
        "morphology",
    ),
    Asked(
        "How long are its neurites, and how do they branch?",
        f"""
        select neurite_type, number_nodes, total_length, number_bifurcations, max_branch_order, max_path_distance
        from morphology.features
        where specimen_id = {CELL} and neurite_type in ('axon', 'basal_dendrite', 'apical_dendrite')
        order by neurite_type
        """,
    ),
    Asked(
        "Which GLIF models of it come nearest to its recorded number of spikes?",
        f"""
        with models as (
            from models.glif_models
            where specimen_id = {CELL})
        select m.glif_level, r.sweep_number, s.num_spikes as n_recorded, r.n_spikes as n_simulated
        from models.simulate_glif_recorded('models', sweep := 5, traces := false) as r
        join models.glif_models as m using (neuronal_model_id)
        join icephys.sweeps as s on s.specimen_id = r.specimen_id and s.sweep_number = r.sweep_number
        order by m.glif_level
        """,
    ),
    Asked(
        "What goes on inside the most complex one?",
        f"""
        with models as (
            from models.glif_models
            where specimen_id = {CELL} and glif_level = 5)
        select *
        from models.simulate_glif_recorded('models', sweep := 5)
        """,
        "glif_run",
    ),
)

THE_LAKE = (
    Asked(
        "What came into the lake, when?",
        """
        select snapshot_id, message
        from lake.snapshots
        order by snapshot_id
        """,
    ),
)

# Of a brain that is made up, where no real one is brought
MADE_UP_BRAIN = {
    "Reference space and connectivity": (
        Asked(
            "What does a slice through the brain look like?",
            """
            select *
            from ccf.slice_image('coronal', 8000)
            """,
            "ccf_slice",
        ),
        Asked(
            "Which structures does an electrode pass that goes straight down?",
            """
            with points as (
                select 8000.0 as ap_um, i * 100.0 as dv_um, 6900.0 as ml_um
                from range(80) as r(i)),
            found as (
                from ccf.structures_at('points'))
            select ccf_structure_acronym as acronym, min(dv_um) as first_um, max(dv_um) as last_um, count(*) as n_points
            from found
            where ccf_structure_id is not null
            group by all
            order by first_um
            """,
        ),
        Asked(
            "Where does the primary visual area project, from each experiment injected there?",
            """
            select experiment_id, place, acronym, hemisphere_id, ranked_value
            from connectivity.rank_structures(
                (select list(experiment_id order by experiment_id)
                 from connectivity.find_experiments(injection := ['VISp'])), n := 4)
            order by experiment_id, place
            """,
        ),
        Asked(
            "How strongly does each experiment reach each structure?",
            """
            select *
            from connectivity.projection_matrix(
                (select list(experiment_id order by experiment_id) from connectivity.experiments),
                hemispheres := [1, 2], of_measure := 'normalized_projection_volume')
            """,
            "projection_matrix",
        ),
        Asked(
            "What does one of them look like from above?",
            f"""
            select *
            from connectivity.max_projection({INJECTED}, along := 'dv', at_grid_um := 200)
            """,
            "max_projection",
        ),
        Asked(
            "Which experiment resembles it most, voxel by voxel?",
            f"""
            select experiment_id, structure_acronym, correlation
            from connectivity.search_correlation({INJECTED}, wanted := ['grey'], at_grid_um := 200)
            order by correlation desc
            """,
        ),
        Asked(
            "Where it projects, how many good units were recorded?",
            """
            with targets as (
                select p.structure_id, avg(p.normalized_projection_volume) as projection_volume
                from connectivity.find_experiments(injection := ['VISp']) as e
                join connectivity.unionizes as p using (experiment_id)
                where not p.is_injection and p.hemisphere_id = 2
                group by all)
            select s.acronym, t.projection_volume, count(distinct u.unit_id) as n_units
            from targets as t
            join ccf.structures as s using (structure_id)
            join ccf.structure_closure as c on c.ancestor_id = t.structure_id
            join ecephys.good_units as u on u.structure_id = c.descendant_id
            where s.acronym not in ('root', 'grey')
            group by all
            order by t.projection_volume desc
            """,
        ),
    ),
}

# Of what `brainlake demo --online` brings
ONLINE_DOMAINS = {
    "Real data: the connectivity atlas": (
        Asked(
            "Where does the injection of experiment 112951097 project most?",
            """
            select r.place, r.acronym, s.name, r.hemisphere_id, round(r.ranked_value, 3) as normalized_volume
            from connectivity.rank_structures(
                [112951097], (select list(structure_id) from ccf.structures), n := 8, above := 0) as r
            join ccf.structures as s using (structure_id)
            order by r.place
            """,
        ),
        Asked(
            "How many experiments has each transgenic line, and how much was injected?",
            """
            select coalesce(transgenic_line, 'wild type') as line, count(*) as n_experiments,
                   round(median(injection_volume_mm3), 3) as median_mm3
            from connectivity.experiments
            group by all
            order by n_experiments desc, line
            """,
        ),
    ),
}


def domains(is_real: bool = False) -> dict[str, tuple[Asked, ...]]:
    """The questions of a demo, of real data or of files that are made up."""
    return {
        "Extracellular recordings": EXTRACELLULAR,
        "Patched cells, their shapes and models": PATCHED_CELLS,
        **(ONLINE_DOMAINS if is_real else MADE_UP_BRAIN),
        "The lake itself": THE_LAKE,
    }


QUESTIONS = tuple(asked for questions in domains().values() for asked in questions)
