-- one spike of one sweep, as the deprecated extractor of the reference sees it
-- spec: cell_types LG
-- sdk: EphysFeatureExtractor.process_instance
-- macro: icephys.legacy_spike_features(sweeps, onset := 1.02, duration := 1.0)
--   sweeps            relation (specimen_id, sweep_number, response, stimulus, sampling_rate), samples in V and A
--   onset             start of the stimulus (s)
--   duration          its duration; spikes are sought in [onset, onset + duration) (s)
--   specimen_id       cell
--   sweep_number      sweep
--   spike_index       number of the spike, from 0
--   peak_index        sample of the peak
--   f_peak            voltage of the peak (mV)
--   f_peak_i          current at the peak (pA)
--   f_peak_t          time of the peak (s)
--   upstroke          largest slope before the peak (V/s)
--   upstroke_index    sample of the upstroke
--   upstroke_v        voltage at the upstroke (mV)
--   upstroke_i        current at the upstroke (pA)
--   upstroke_t        time of the upstroke (s)
--   threshold_index   sample of the threshold
--   threshold_v       voltage at threshold (mV)
--   threshold_i       current at threshold (pA)
--   threshold_t       time of the threshold (s)
--   rise_time         time from the threshold by the spike's own upstroke to the peak (s)
--   half_height_width time above half of threshold to peak (s)
--   n30_index         sample at which -30 mV is reached; of the threshold where it is above
--   t_n30             time at which -30 mV is reached (s)
--   thresh_ramp       change of the slope over 5 mV past threshold (V/s)
--   downstroke_index  sample of the downstroke
--   downstroke_v      voltage at the downstroke (mV)
--   downstroke_i      current at the downstroke (pA)
--   downstroke_t      time of the downstroke (s)
--   downstroke        most negative slope before the next spike (V/s)
--   trough_index      sample of the trough
--   f_trough          lowest voltage before the next spike (mV)
--   f_trough_i        current at the trough (pA)
--   f_trough_t        time of the trough (s)
--   f_fast_ahp        lowest voltage within 5 ms of the peak (mV)
--   f_fast_ahp_i      current there (pA)
--   f_fast_ahp_t      its time (s)
--   f_slow_ahp        lowest voltage later than 5 ms from the peak (mV)
--   f_slow_ahp_time   its time, as fraction of that from peak to next spike (1)
--   f_slow_ahp_t      its time (s)
--   width             time above half of trough to peak (ms)
with _found as (
    select
        sweeps.specimen_id,
        sweeps.sweep_number,
        legacy_features(
            sweeps.response, sweeps.stimulus, sweeps.sampling_rate, onset::double, duration::double
        ).spikes as spikes
    from query_table(sweeps) as sweeps
)
select
    f.specimen_id,
    f.sweep_number,
    s.spike_index - 1 as spike_index,
    s.spike.peak_index,
    s.spike.f_peak,
    s.spike.f_peak_i,
    s.spike.f_peak_t,
    s.spike.upstroke,
    s.spike.upstroke_index,
    s.spike.upstroke_v,
    s.spike.upstroke_i,
    s.spike.upstroke_t,
    s.spike.threshold_index,
    s.spike.threshold_v,
    s.spike.threshold_i,
    s.spike.threshold_t,
    s.spike.rise_time,
    s.spike.half_height_width,
    s.spike.n30_index,
    s.spike.t_n30,
    s.spike.thresh_ramp,
    s.spike.downstroke_index,
    s.spike.downstroke_v,
    s.spike.downstroke_i,
    s.spike.downstroke_t,
    s.spike.downstroke,
    s.spike.trough_index,
    s.spike.f_trough,
    s.spike.f_trough_i,
    s.spike.f_trough_t,
    s.spike.f_fast_ahp,
    s.spike.f_fast_ahp_i,
    s.spike.f_fast_ahp_t,
    s.spike.f_slow_ahp,
    s.spike.f_slow_ahp_time,
    s.spike.f_slow_ahp_t,
    s.spike.width
from _found as f
cross join unnest(f.spikes) with ordinality as s(spike, spike_index)
