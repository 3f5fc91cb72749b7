-- one sorted unit with its place, probe and animal, whichever source tells of it
-- spec: ecephys EC-2, OD-17
-- sdk: EcephysProjectCache.get_units, EcephysSession.units
-- partition: session_id
--   session_id                      session it was recorded in
--   unit_id                         sorted unit, a putative neuron
--   probe_id                        probe of the peak channel
--   peak_channel_id                 channel with the largest mean waveform
--   quality                         good or noise; NULL where the source does not tell
--   firing_rate                     spikes of the unit over the time the probe recorded (Hz)
--   snr                             amplitude of the mean waveform over the noise on the peak channel (1)
--   isi_violations                  rate of refractory violations relative to the unit's own (1)
--   presence_ratio                  share of the session's time bins with spikes (1)
--   amplitude_cutoff                estimated share of spikes below detection (1)
--   isolation_distance              Mahalanobis distance to the n-th nearest foreign spike (1)
--   l_ratio                         contamination by foreign spikes in PC space (1)
--   d_prime                         separation from other units by linear discriminant analysis (1)
--   nn_hit_rate                     nearest neighbours of the unit's spikes that are its own (1)
--   nn_miss_rate                    nearest neighbours of other spikes that are this unit's (1)
--   silhouette_score                smallest silhouette against another unit (1)
--   max_drift                       range of the unit's depth over the session (um)
--   cumulative_drift                summed movement of the unit's depth over the session (um)
--   waveform_amplitude              peak to trough of the mean waveform on the peak channel (uV)
--   waveform_duration               trough to peak of the mean waveform (ms)
--   waveform_halfwidth              width of the mean waveform at half amplitude (ms)
--   waveform_pt_ratio               absolute ratio of peak to trough (1)
--   waveform_repolarization_slope   slope after the extremum (V/s)
--   waveform_recovery_slope         slope after the following peak (V/s)
--   waveform_spread                 extent of channels above 12 % of the peak amplitude (um)
--   waveform_velocity_above         propagation above the soma (s/m)
--   waveform_velocity_below         propagation below the soma (s/m)
--   n_spikes                        spikes in the lake's source; NULL where it does not tell
--   first_spike_time                first stored spike (s)
--   last_spike_time                 last stored spike (s)
--   n_dropped                       spikes left out, as their time is negative
--   local_index_unit                index among the probe's units
--   cluster_id                      cluster of the sorter
--   source_unit_id                  the natural id in the file
--   source                          where the row comes from: nwb, project or annotated
--   structure_acronym               structure of the peak channel
--   structure_id                    its CCF id; NULL out of the brain
--   ap_um                           anterior-posterior CCF position of the peak channel (um)
--   dv_um                           dorsal-ventral CCF position of the peak channel (um)
--   ml_um                           left-right CCF position of the peak channel (um)
--   cortical_depth                  relative depth, 0 at the surface, 1 at the white matter (1)
--   cortical_layer                  layer: 1, 2 (2/3), 4, 5, 6; 0 out of cortex
--   channel_local_index             index of the peak channel on the probe, from the tip
--   probe_vertical_position         of the peak channel, from the tip (um)
--   probe_horizontal_position       of the peak channel, across the probe (um)
--   valid_data                      data of the peak channel are usable; NULL where no file tells
--   probe_name                      name of the probe
--   probe_phase                     probe generation: 3a or PXI
--   probe_sampling_rate             of the probe's spike band (Hz)
--   probe_lfp_sampling_rate         of the probe's stored LFP (Hz)
--   probe_has_lfp_data              an LFP file exists
--   session_type                    stimulus programme
--   specimen_id                     animal, as the project numbers it
--   specimen_name                   name of the animal
--   age_in_days                     age when recorded (d)
--   sex                             M or F
--   full_genotype                   genotype
--   species                         species
-- Each source excludes what a better one holds by a join on both ids, so that a session's filter prunes the files.
-- A unit of the project's table belongs to the session of its channel; where the project's channels lack that, and no
-- session file has the unit, its session is NULL.
with published as (
    select
        r.session_id,
        p.unit_id, p.peak_channel_id, p.quality,
        p.firing_rate, p.snr, p.isi_violations, p.presence_ratio, p.amplitude_cutoff, p.isolation_distance,
        p.l_ratio, p.d_prime, p.nn_hit_rate, p.nn_miss_rate, p.silhouette_score, p.max_drift,
        p.cumulative_drift, p.waveform_amplitude, p.waveform_duration, p.waveform_halfwidth,
        p.waveform_pt_ratio, p.waveform_repolarization_slope, p.waveform_recovery_slope, p.waveform_spread,
        p.waveform_velocity_above, p.waveform_velocity_below
    from ecephys.project_units as p
    left join ecephys.project_channels as c on c.channel_id = p.peak_channel_id
    left join ecephys.probes as r on r.probe_id = c.probe_id
),
chosen as (
    select
        n.session_id, n.unit_id, n.probe_id, n.peak_channel_id, n.quality,
        n.firing_rate, n.snr, n.isi_violations, n.presence_ratio, n.amplitude_cutoff, n.isolation_distance,
        n.l_ratio, n.d_prime, n.nn_hit_rate, n.nn_miss_rate, n.silhouette_score, n.max_drift,
        n.cumulative_drift, n.waveform_amplitude, n.waveform_duration, n.waveform_halfwidth,
        n.waveform_pt_ratio, n.waveform_repolarization_slope, n.waveform_recovery_slope, n.waveform_spread,
        n.waveform_velocity_above, n.waveform_velocity_below,
        n.n_spikes, n.first_spike_time, n.last_spike_time, n.n_dropped,
        n.local_index as local_index_unit, n.cluster_id, n.source_unit_id, 'nwb' as source
    from ecephys.nwb_units as n
    union all
    select
        p.session_id, p.unit_id, null, p.peak_channel_id, p.quality,
        p.firing_rate, p.snr, p.isi_violations, p.presence_ratio, p.amplitude_cutoff, p.isolation_distance,
        p.l_ratio, p.d_prime, p.nn_hit_rate, p.nn_miss_rate, p.silhouette_score, p.max_drift,
        p.cumulative_drift, p.waveform_amplitude, p.waveform_duration, p.waveform_halfwidth,
        p.waveform_pt_ratio, p.waveform_repolarization_slope, p.waveform_recovery_slope, p.waveform_spread,
        p.waveform_velocity_above, p.waveform_velocity_below,
        null, null, null, null,
        null, null, null, 'project'
    from published as p
    left join ecephys.nwb_units as n on n.session_id = p.session_id and n.unit_id = p.unit_id
    where n.unit_id is null
        and p.session_id is not null
    union all
    -- The literal NULL spares a question about a session this branch, which looks into the files of all.
    select
        null::bigint, p.unit_id, null, p.peak_channel_id, p.quality,
        p.firing_rate, p.snr, p.isi_violations, p.presence_ratio, p.amplitude_cutoff, p.isolation_distance,
        p.l_ratio, p.d_prime, p.nn_hit_rate, p.nn_miss_rate, p.silhouette_score, p.max_drift,
        p.cumulative_drift, p.waveform_amplitude, p.waveform_duration, p.waveform_halfwidth,
        p.waveform_pt_ratio, p.waveform_repolarization_slope, p.waveform_recovery_slope, p.waveform_spread,
        p.waveform_velocity_above, p.waveform_velocity_below,
        null, null, null, null,
        null, null, null, 'project'
    from published as p
    left join ecephys.nwb_units as n on n.unit_id = p.unit_id
    where n.unit_id is null
        and p.session_id is null
    union all
    select
        a.session_id, a.unit_id, a.probe_id, a.peak_channel_id, a.quality,
        a.firing_rate, a.snr, a.isi_violations, a.presence_ratio, a.amplitude_cutoff, a.isolation_distance,
        a.l_ratio, a.d_prime, a.nn_hit_rate, a.nn_miss_rate, a.silhouette_score, a.max_drift,
        a.cumulative_drift, a.waveform_amplitude, a.waveform_duration, a.waveform_halfwidth,
        a.waveform_pt_ratio, a.waveform_repolarization_slope, a.waveform_recovery_slope, a.waveform_spread,
        a.waveform_velocity_above, a.waveform_velocity_below,
        null, null, null, null,
        null, null, null, 'annotated'
    from ecephys.annotated_units as a
    left join ecephys.project_units as p on p.unit_id = a.unit_id
    left join ecephys.nwb_units as n on n.session_id = a.session_id and n.unit_id = a.unit_id
    where p.unit_id is null and n.unit_id is null
)
select
    u.session_id,
    u.unit_id,
    coalesce(u.probe_id, c.probe_id) as probe_id,
    u.peak_channel_id,
    u.quality,
    u.firing_rate,
    u.snr,
    u.isi_violations,
    u.presence_ratio,
    u.amplitude_cutoff,
    u.isolation_distance,
    u.l_ratio,
    u.d_prime,
    u.nn_hit_rate,
    u.nn_miss_rate,
    u.silhouette_score,
    u.max_drift,
    u.cumulative_drift,
    u.waveform_amplitude,
    u.waveform_duration,
    u.waveform_halfwidth,
    u.waveform_pt_ratio,
    u.waveform_repolarization_slope,
    u.waveform_recovery_slope,
    u.waveform_spread,
    u.waveform_velocity_above,
    u.waveform_velocity_below,
    u.n_spikes,
    u.first_spike_time,
    u.last_spike_time,
    u.n_dropped,
    u.local_index_unit,
    u.cluster_id,
    u.source_unit_id,
    u.source,
    c.structure_acronym,
    c.structure_id,
    c.ap_um,
    c.dv_um,
    c.ml_um,
    l.cortical_depth,
    l.cortical_layer,
    c.local_index as channel_local_index,
    c.probe_vertical_position,
    c.probe_horizontal_position,
    c.valid_data,
    p.name as probe_name,
    p.phase as probe_phase,
    p.sampling_rate as probe_sampling_rate,
    p.lfp_sampling_rate as probe_lfp_sampling_rate,
    p.has_lfp_data as probe_has_lfp_data,
    s.session_type,
    s.specimen_id,
    s.specimen_name,
    s.age_in_days,
    s.sex,
    s.full_genotype,
    s.species
from chosen as u
left join ecephys.channels as c on c.session_id = u.session_id and c.channel_id = u.peak_channel_id
left join ecephys.probes as p on p.probe_id = coalesce(u.probe_id, c.probe_id)
left join ecephys.sessions as s on s.session_id = u.session_id
left join ecephys.unit_layers as l on l.unit_id = u.unit_id
