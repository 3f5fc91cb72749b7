-- one unit that passes the reference's default quality filter
-- spec: ecephys EC-1, OD-1, OD-18
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
select
    u.session_id,
    u.unit_id,
    u.probe_id,
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
    u.structure_acronym,
    u.structure_id,
    u.ap_um,
    u.dv_um,
    u.ml_um,
    u.cortical_depth,
    u.cortical_layer,
    u.channel_local_index,
    u.probe_vertical_position,
    u.probe_horizontal_position,
    u.valid_data,
    u.probe_name,
    u.probe_phase,
    u.probe_sampling_rate,
    u.probe_lfp_sampling_rate,
    u.probe_has_lfp_data,
    u.session_type,
    u.specimen_id,
    u.specimen_name,
    u.age_in_days,
    u.sex,
    u.full_genotype,
    u.species
from ecephys.units as u
where u.amplitude_cutoff <= 0.1
  and u.presence_ratio >= 0.95
  and u.isi_violations <= 0.5
  and coalesce(u.quality = 'good', true)
  and coalesce(u.valid_data, true)
  and u.structure_id is not null
