-- one long square, short square or ramp of one cell, with what the cell's features need of it, by the default settings
-- spec: cell_types 4.5.2, 4.5.3
-- sdk: EphysCellFeatureExtractor.ramps_features, EphysCellFeatureExtractor.short_squares_features, EphysCellFeatureExtractor.long_squares_features, EphysCellFeatureExtractor.long_squares_stim_amps
-- partition: specimen_id
--   specimen_id                cell
--   sweep_number               sweep
--   stimulus_class             long_square, short_square or ramp
--   subthreshold_min_amp_pa    as given (pA)
--   dv_cutoff                  slope at which spikes were looked for (V/s)
--   thresh_frac                share of the upstroke that is the threshold (1)
--   n_spikes                   spikes in the window
--   avg_rate                   spikes in the window over its length (spikes/s)
--   adaptation                 adaptation index of its intervals (1)
--   latency                    from the window's start to the first spike (s)
--   mean_isi                   mean interspike interval (s)
--   stim_amp_pa                amplitude of a square (pA)
--   v_baseline_mv              potential before a long square (mV)
--   peak_deflect_v_mv          extreme potential of a subthreshold long square (mV)
--   deepest_v_mv               its lowest potential (mV)
--   deepest_i_pa               current at the lowest potential (pA)
--   sag                        its sag (1)
--   tau                        its membrane time constant (s)
--   threshold_t                first spike: time of the threshold (s)
--   threshold_v_mv             first spike: potential at threshold (mV)
--   threshold_i_pa             first spike: current at threshold (pA)
--   peak_t                     first spike: time of the peak (s)
--   peak_v_mv                  first spike: potential of the peak (mV)
--   trough_t                   first spike: time of the trough (s)
--   trough_v_mv                first spike: potential of the trough (mV)
--   fast_trough_t              first spike: time of the fast trough (s)
--   fast_trough_v_mv           first spike: potential of the fast trough (mV)
--   slow_trough_t              first spike: time of the slow trough (s)
--   slow_trough_v_mv           first spike: potential of the slow trough (mV)
--   upstroke_downstroke_ratio  first spike: upstroke over downstroke (1)
--   feature_flags              oddities of the reference that had a say
--   tau_error                  why a subthreshold long square has no tau
--   error                      why the sweep has no features at all
with _sweeps as materialized (
    select
        c.specimen_id,
        c.sweep_number,
        c.sampling_rate,
        c.stimulus_class,
        c.detection_group,
        c.detection_start,
        c.detection_stop,
        c.window_start,
        c.window_stop,
        c.subthreshold_min_amp_pa
    from icephys.cell_sweeps() as c
),
_traces as not materialized (
    select
        s.*,
        t.packed_stimulus as stimulus,
        t.packed_response as response
    from _sweeps as s
    join icephys.packed_traces as t
        on t.specimen_id = s.specimen_id
        and t.sweep_number = s.sweep_number
)
select
    m.specimen_id,
    m.sweep_number,
    m.stimulus_class,
    m.subthreshold_min_amp_pa,
    m.dv_cutoff,
    m.thresh_frac,
    m.n_spikes,
    m.avg_rate,
    m.adaptation,
    m.latency,
    m.mean_isi,
    m.stim_amp_pa,
    m.v_baseline_mv,
    m.peak_deflect_v_mv,
    m.deepest_v_mv,
    m.deepest_i_pa,
    m.sag,
    m.tau,
    m.threshold_t,
    m.threshold_v_mv,
    m.threshold_i_pa,
    m.peak_t,
    m.peak_v_mv,
    m.trough_t,
    m.trough_v_mv,
    m.fast_trough_t,
    m.fast_trough_v_mv,
    m.slow_trough_t,
    m.slow_trough_v_mv,
    m.upstroke_downstroke_ratio,
    m.feature_flags,
    m.tau_error,
    m.error
from icephys.measure_cell_sweeps('_traces') as m
