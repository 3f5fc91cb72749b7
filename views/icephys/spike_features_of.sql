-- one spike of one current-clamp sweep, with all its features
-- spec: cell_types EF-1, EF-2, EF-3, EF-4, EF-5, EF-6, EF-7, EF-8, EF-9, EF-10, EF-11, CT-080
-- sdk: EphysSweepFeatureExtractor, EphysSweepFeatureExtractor.process_spikes, EphysSweepSetFeatureExtractor
-- macro: icephys.spike_features_of(sweeps, filter_khz := 10.0, dv_cutoff := 20.0, max_interval := 0.005, min_height := 2.0, min_peak := -30.0, thresh_frac := 0.05, corrected := false)
-- Sweeps that cannot be analysed have no spikes: icephys.sweep_features_of says why.
--   sweeps                      relation (specimen_id, sweep_number, response, sampling_rate) in V and Hz, where it has them with stimulus (A),
--                               window_start, window_stop (s), stimulus_class, adjusted_dv_cutoff (V/s),
--                               adjusted_thresh_frac: whatever a sweep lacks comes from the parameters
--   filter_khz                  corner of the low-pass filter before dV/dt; NULL for none. Sampling rates up to twice of it are refused (kHz)
--   dv_cutoff                   slope at which a spike is looked for (V/s)
--   max_interval                longest time from threshold to peak (s)
--   min_height                  least height of a peak above its start (mV)
--   min_peak                    least potential of a peak (mV)
--   thresh_frac                 share of the mean upstroke that is the threshold (1)
--   corrected                   the reference's slips put right (EF-7, SF-5, SF-12)
--   specimen_id                 cell
--   sweep_number                sweep
--   spike_index                 spike of the sweep, from 0
--   clipped                     the sweep or its window ends before the spike does, or the next begins: what comes after the peak has no values
--   threshold_index             threshold: sample, from 0
--   threshold_t                 threshold: time from the sweep's start (s)
--   threshold_v_mv              threshold: potential (mV)
--   threshold_i_pa              threshold: current (pA)
--   peak_index                  peak: sample, from 0
--   peak_t                      peak: time from the sweep's start (s)
--   peak_v_mv                   peak: potential (mV)
--   peak_i_pa                   peak: current (pA)
--   trough_index                lowest sample before the next spike: sample, from 0
--   trough_t                    lowest sample before the next spike: time from the sweep's start (s)
--   trough_v_mv                 lowest sample before the next spike: potential (mV)
--   trough_i_pa                 lowest sample before the next spike: current (pA)
--   fast_trough_index           end of the repolarisation: sample, from 0
--   fast_trough_t               end of the repolarisation: time from the sweep's start (s)
--   fast_trough_v_mv            end of the repolarisation: potential (mV)
--   fast_trough_i_pa            end of the repolarisation: current (pA)
--   adp_index                   afterdepolarisation: sample, from 0
--   adp_t                       afterdepolarisation: time from the sweep's start (s)
--   adp_v_mv                    afterdepolarisation: potential (mV)
--   adp_i_pa                    afterdepolarisation: current (pA)
--   slow_trough_index           lowest sample behind the fast trough, of a detour: sample, from 0
--   slow_trough_t               lowest sample behind the fast trough, of a detour: time from the sweep's start (s)
--   slow_trough_v_mv            lowest sample behind the fast trough, of a detour: potential (mV)
--   slow_trough_i_pa            lowest sample behind the fast trough, of a detour: current (pA)
--   upstroke_index              steepest rise: sample, from 0
--   upstroke_t                  steepest rise: time (s)
--   upstroke_v_mv               steepest rise: potential, unfiltered (mV)
--   upstroke                    steepest rise of the filtered potential (V/s)
--   downstroke_index            steepest fall: sample, from 0
--   downstroke_t                steepest fall: time (s)
--   downstroke_v_mv             steepest fall: potential, unfiltered (mV)
--   downstroke                  steepest fall of the filtered potential (V/s)
--   isi_type                    how v comes to the next spike: direct, or detour by an afterdepolarisation or a slow trough
--   spike_width                 at half of the height above the fast trough (s)
--   upstroke_downstroke_ratio   upstroke over downstroke (1)
--   isi_to_next                 from threshold to the next spike's (s)
--   feature_flags               oddities of the reference that had a say, as the kernel spike_features lists them
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
_found as (
    select
        g.specimen_id,
        g.sweep_number,
        spike_features(
            g.response, g.stimulus, g.sampling_rate, g.window_start, g.window_stop, filter_khz::double, g.cutoff,
            max_interval::double, min_height::double, min_peak::double, g.fraction, corrected::boolean
        ) as f
    from _given as g
),
_spikes as (
    select
        specimen_id,
        sweep_number,
        f.feature_flags as feature_flags,
        unnest(f.spikes) as s,
        generate_subscripts(f.spikes, 1) - 1 as spike_index
    from _found
)
select
    k.specimen_id,
    k.sweep_number,
    k.spike_index,
    k.s.clipped,
    k.s.threshold_index,
    k.s.threshold_t,
    k.s.threshold_v_mv,
    k.s.threshold_i_pa,
    k.s.peak_index,
    k.s.peak_t,
    k.s.peak_v_mv,
    k.s.peak_i_pa,
    k.s.trough_index,
    k.s.trough_t,
    k.s.trough_v_mv,
    k.s.trough_i_pa,
    k.s.fast_trough_index,
    k.s.fast_trough_t,
    k.s.fast_trough_v_mv,
    k.s.fast_trough_i_pa,
    k.s.adp_index,
    k.s.adp_t,
    k.s.adp_v_mv,
    k.s.adp_i_pa,
    k.s.slow_trough_index,
    k.s.slow_trough_t,
    k.s.slow_trough_v_mv,
    k.s.slow_trough_i_pa,
    k.s.upstroke_index,
    k.s.upstroke_t,
    k.s.upstroke_v_mv,
    k.s.upstroke,
    k.s.downstroke_index,
    k.s.downstroke_t,
    k.s.downstroke_v_mv,
    k.s.downstroke,
    k.s.isi_type,
    k.s.spike_width,
    k.s.upstroke_downstroke_ratio,
    k.s.isi_to_next,
    k.feature_flags
from _spikes as k
