-- one feature of one sweep by the deprecated extractor: its value, or its mean and deviation over the sweep's spikes
-- spec: cell_types LG
-- sdk: EphysFeatureExtractor.process_instance, EphysFeatures.mean, EphysFeatures.stdev
-- macro: icephys.legacy_features(sweeps, onset := 1.02, duration := 1.0)
--   sweeps         relation (specimen_id, sweep_number, response, stimulus, sampling_rate), samples in V and A
--   onset          start of the stimulus (s)
--   duration       its duration (s)
--   specimen_id    cell
--   sweep_number   sweep
--   feature        name of the feature: of the sweep (base_v, n_spikes, rate, adapt, isi_cv, doublet, latency,
--                  latency_n30, isi_avg) or of its spikes (columns of icephys.legacy_spike_features); a feature that a
--                  sweep does not have has no row
--   value          value, in the unit of the feature; of spikes the mean
--   deviation      population deviation over the spikes, same unit; NULL for features of the sweep
--   spike_values   values of the spikes, in order; NULL for features of the sweep
with _found as (
    select
        sweeps.specimen_id,
        sweeps.sweep_number,
        legacy_features(
            sweeps.response, sweeps.stimulus, sweeps.sampling_rate, onset::double, duration::double
        ) as found
    from query_table(sweeps) as sweeps
),
_of_sweeps as (
    select
        f.specimen_id,
        f.sweep_number,
        unnest([
            {'feature': 'base_v', 'value': f.found.base_v},
            {'feature': 'n_spikes', 'value': f.found.n_spikes::double},
            {'feature': 'rate', 'value': f.found.rate},
            {'feature': 'adapt', 'value': f.found.adapt},
            {'feature': 'isi_cv', 'value': f.found.isi_cv},
            {'feature': 'doublet', 'value': f.found.doublet},
            {'feature': 'latency', 'value': f.found.latency},
            {'feature': 'latency_n30', 'value': f.found.latency_n30},
            {'feature': 'isi_avg', 'value': f.found.isi_avg}
        ], recursive := true)
    from _found as f
),
_of_spikes as (
    select
        f.specimen_id,
        f.sweep_number,
        unnest([
            {'feature': 'f_peak', 'spike_values': list_transform(f.found.spikes, lambda x: x.f_peak)},
            {'feature': 'f_peak_i', 'spike_values': list_transform(f.found.spikes, lambda x: x.f_peak_i)},
            {'feature': 'f_peak_t', 'spike_values': list_transform(f.found.spikes, lambda x: x.f_peak_t)},
            {'feature': 'upstroke', 'spike_values': list_transform(f.found.spikes, lambda x: x.upstroke)},
            {'feature': 'upstroke_v', 'spike_values': list_transform(f.found.spikes, lambda x: x.upstroke_v)},
            {'feature': 'upstroke_i', 'spike_values': list_transform(f.found.spikes, lambda x: x.upstroke_i)},
            {'feature': 'upstroke_t', 'spike_values': list_transform(f.found.spikes, lambda x: x.upstroke_t)},
            {'feature': 'threshold_v', 'spike_values': list_transform(f.found.spikes, lambda x: x.threshold_v)},
            {'feature': 'threshold_i', 'spike_values': list_transform(f.found.spikes, lambda x: x.threshold_i)},
            {'feature': 'threshold_t', 'spike_values': list_transform(f.found.spikes, lambda x: x.threshold_t)},
            {'feature': 'rise_time', 'spike_values': list_transform(f.found.spikes, lambda x: x.rise_time)},
            {'feature': 'half_height_width', 'spike_values': list_transform(f.found.spikes, lambda x: x.half_height_width)},
            {'feature': 't_n30', 'spike_values': list_transform(f.found.spikes, lambda x: x.t_n30)},
            {'feature': 'thresh_ramp', 'spike_values': list_transform(f.found.spikes, lambda x: x.thresh_ramp)},
            {'feature': 'downstroke_v', 'spike_values': list_transform(f.found.spikes, lambda x: x.downstroke_v)},
            {'feature': 'downstroke_i', 'spike_values': list_transform(f.found.spikes, lambda x: x.downstroke_i)},
            {'feature': 'downstroke_t', 'spike_values': list_transform(f.found.spikes, lambda x: x.downstroke_t)},
            {'feature': 'downstroke', 'spike_values': list_transform(f.found.spikes, lambda x: x.downstroke)},
            {'feature': 'f_trough', 'spike_values': list_transform(f.found.spikes, lambda x: x.f_trough)},
            {'feature': 'f_trough_i', 'spike_values': list_transform(f.found.spikes, lambda x: x.f_trough_i)},
            {'feature': 'f_trough_t', 'spike_values': list_transform(f.found.spikes, lambda x: x.f_trough_t)},
            {'feature': 'f_fast_ahp', 'spike_values': list_transform(f.found.spikes, lambda x: x.f_fast_ahp)},
            {'feature': 'f_fast_ahp_i', 'spike_values': list_transform(f.found.spikes, lambda x: x.f_fast_ahp_i)},
            {'feature': 'f_fast_ahp_t', 'spike_values': list_transform(f.found.spikes, lambda x: x.f_fast_ahp_t)},
            {'feature': 'f_slow_ahp', 'spike_values': list_transform(f.found.spikes, lambda x: x.f_slow_ahp)},
            {'feature': 'f_slow_ahp_time', 'spike_values': list_transform(f.found.spikes, lambda x: x.f_slow_ahp_time)},
            {'feature': 'f_slow_ahp_t', 'spike_values': list_transform(f.found.spikes, lambda x: x.f_slow_ahp_t)},
            {'feature': 'width', 'spike_values': list_transform(f.found.spikes, lambda x: x.width)}
        ], recursive := true)
    from _found as f
    where f.found.n_spikes > 0
)
select
    s.specimen_id,
    s.sweep_number,
    s.feature,
    s.value,
    null::double as deviation,
    null::double[] as spike_values
from _of_sweeps as s
where s.value is not null
union all
select
    s.specimen_id,
    s.sweep_number,
    s.feature,
    list_avg(s.spike_values),
    list_stddev_pop(s.spike_values),
    s.spike_values
from _of_spikes as s
