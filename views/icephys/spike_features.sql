-- one spike of one recorded current-clamp sweep, found and measured with the reference's options
-- spec: cell_types 3.3, 4.5.2, EF-11, CT-080
-- sdk: EphysSweepFeatureExtractor.spikes, EphysSweepFeatureExtractor.spike_feature, EphysSweepFeatureExtractor.spike_feature_keys, EphysSweepFeatureExtractor.is_spike_feature_affected_by_clipping
-- partition: specimen_id
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
with _sweeps as not materialized (
    select
        a.specimen_id,
        a.sweep_number,
        t.packed_response as response,
        t.packed_stimulus as stimulus,
        a.sampling_rate,
        a.window_start,
        a.window_stop,
        a.adjusted_dv_cutoff,
        a.adjusted_thresh_frac
    from icephys.sweeps_to_analyse as a
    join icephys.packed_traces as t
        on t.specimen_id = a.specimen_id
        and t.sweep_number = a.sweep_number
)
select
    f.specimen_id,
    f.sweep_number,
    f.spike_index,
    f.clipped,
    f.threshold_index,
    f.threshold_t,
    f.threshold_v_mv,
    f.threshold_i_pa,
    f.peak_index,
    f.peak_t,
    f.peak_v_mv,
    f.peak_i_pa,
    f.trough_index,
    f.trough_t,
    f.trough_v_mv,
    f.trough_i_pa,
    f.fast_trough_index,
    f.fast_trough_t,
    f.fast_trough_v_mv,
    f.fast_trough_i_pa,
    f.adp_index,
    f.adp_t,
    f.adp_v_mv,
    f.adp_i_pa,
    f.slow_trough_index,
    f.slow_trough_t,
    f.slow_trough_v_mv,
    f.slow_trough_i_pa,
    f.upstroke_index,
    f.upstroke_t,
    f.upstroke_v_mv,
    f.upstroke,
    f.downstroke_index,
    f.downstroke_t,
    f.downstroke_v_mv,
    f.downstroke,
    f.isi_type,
    f.spike_width,
    f.upstroke_downstroke_ratio,
    f.isi_to_next,
    f.feature_flags
from icephys.spike_features_of('_sweeps') as f
