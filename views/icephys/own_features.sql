-- one value of a registered feature: of a sweep (value_index 0), or of each of its spikes
-- spec: cell_types SF-14, CT-087
-- sdk: EphysSweepFeatureExtractor.process_new_spike_feature, EphysSweepFeatureExtractor.process_new_sweep_feature
-- macro: icephys.own_features(sweeps, feature_set, feature, filter_khz := 10.0, dv_cutoff := 20.0, max_interval := 0.005, min_height := 2.0, min_peak := -30.0, thresh_frac := 0.05, corrected := false)
-- A function becomes a feature by udfs.sweep_features_batch.register_feature.
--   sweeps         relation (specimen_id, sweep_number, response, sampling_rate) in V and Hz, where it has them with stimulus (A),
--                               window_start, window_stop (s), stimulus_class, adjusted_dv_cutoff (V/s),
--                               adjusted_thresh_frac: whatever a sweep lacks comes from the parameters
--   feature_set    set it was registered in
--   feature        its name in the set
--   filter_khz     corner of the low-pass filter before dV/dt; NULL for none. Sampling rates up to twice of it are refused (kHz)
--   dv_cutoff      slope at which a spike is looked for (V/s)
--   max_interval   longest time from threshold to peak (s)
--   min_height     least height of a peak above its start (mV)
--   min_peak       least potential of a peak (mV)
--   thresh_frac    share of the mean upstroke that is the threshold (1)
--   corrected      the reference's slips put right (EF-7, SF-5, SF-12)
--   specimen_id    cell
--   sweep_number   sweep
--   value_index    spike of the sweep, from 0; 0 where the feature is the sweep's
--   value          what the function returned
--   error          why it did not; NULL where it did
with _given as (
    select
        g.specimen_id,
        g.sweep_number,
        g.response,
        g.stimulus,
        g.sampling_rate,
        g.window_start,
        g.window_stop,
        g.stimulus_class,
        coalesce(g.adjusted_dv_cutoff, dv_cutoff::double) as cutoff,
        coalesce(g.adjusted_thresh_frac, thresh_frac::double) as fraction
    from (
        select
            null as stimulus,
            null::double as window_start,
            null::double as window_stop,
            null::varchar as stimulus_class,
            null::double as adjusted_dv_cutoff,
            null::double as adjusted_thresh_frac
        where false
        union all by name
        from query_table(sweeps)
    ) as g
),
_told as (
    select
        g.specimen_id,
        g.sweep_number,
        own_feature(
            g.response, g.stimulus, g.sampling_rate, g.window_start, g.window_stop, filter_khz::double, g.cutoff,
            max_interval::double, min_height::double, min_peak::double, g.fraction, corrected::boolean,
            feature_set::varchar, feature::varchar
        ) as f
    from _given as g
)
select
    t.specimen_id,
    t.sweep_number,
    v.value_index - 1 as value_index,
    v.value,
    t.f.error
from _told as t
left join lateral (
    select unnest(t.f."values") as value, generate_subscripts(t.f."values", 1) as value_index
) as v
    on true
