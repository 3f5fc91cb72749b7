-- one recorded current-clamp sweep with its features by the reference's options, or the reason why it has none
-- spec: cell_types 3.3, 4.5.2, SF-9, CT-082, CT-083, CT-084, CT-085, CT-086
-- sdk: EphysSweepFeatureExtractor.sweep_feature, EphysSweepFeatureExtractor.sweep_feature_keys, EphysSweepFeatureExtractor.burst_metrics, EphysSweepFeatureExtractor.pause_metrics, EphysSweepFeatureExtractor.delay_metrics, EphysSweepFeatureExtractor.estimate_sag, EphysSweepFeatureExtractor.estimate_time_constant, EphysSweepFeatureExtractor.voltage_deflection, EphysSweepFeatureExtractor.stimulus_amplitude, EphysSweepFeatureExtractor.set_stimulus_amplitude_calculator
-- partition: specimen_id
--   specimen_id            cell
--   sweep_number           sweep
--   stimulus_class         long_square, short_square or ramp; NULL for others
--   window_start           start of the stimulus of long squares and ramps, else of the experiment (s)
--   window_stop            end of the stimulus of long squares, else of the experiment (s)
--   used_dv_cutoff         slope at which spikes were looked for (V/s)
--   used_thresh_frac       share of the upstroke that is the threshold (1)
--   n_spikes               spikes found
--   avg_rate               spikes in the window over its length (spikes/s)
--   adaptation             adaptation index of the intervals (1)
--   latency                from the window's start to the first spike (s)
--   isi_cv                 standard deviation of the intervals over their mean (1)
--   mean_isi               mean interspike interval (s)
--   median_isi             median interspike interval (s)
--   first_isi              first interspike interval (s)
--   v_baseline_mv          mean potential over 0.1 s before the window, or in the first quiet 0.1 s where no window is given (mV)
--   stim_amp_pa            amplitude, of squares (pA)
--   peak_deflect_v_mv      extreme potential in the window, on the side the current points to (mV)
--   peak_deflect_index     its sample, from 0
--   tau                    membrane time constant, of silent hyperpolarised sweeps, judged as the reference does (s)
--   tau_corrected          the same, where the root mean square of the fit's residual is at most max_rmse (s)
--   tau_rmse_mv            root mean square of the fit's residual (mV)
--   sag                    share of the deflection that is gone at the window's end, of silent sweeps (1)
--   n_pauses               pauses, of spiking sweeps
--   pause_fraction         share of the window that pauses take (1)
--   n_bursts               bursts, of spiking sweeps
--   max_burstiness_index   greatest burstiness, in [-1, 1] (1)
--   delay_ratio            latency over delay_tau (1)
--   delay_tau              time constant of the charging before the first spike (s)
--   feature_flags          oddities of the reference that had a say, as the kernel spike_features lists them
--   error                  what could not be told, and why; NULL where all could
with _sweeps as not materialized (
    select
        a.specimen_id,
        a.sweep_number,
        t.packed_response as response,
        t.packed_stimulus as stimulus,
        a.sampling_rate,
        a.window_start,
        a.window_stop,
        a.stimulus_class,
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
    f.stimulus_class,
    f.window_start,
    f.window_stop,
    f.used_dv_cutoff,
    f.used_thresh_frac,
    f.n_spikes,
    f.avg_rate,
    f.adaptation,
    f.latency,
    f.isi_cv,
    f.mean_isi,
    f.median_isi,
    f.first_isi,
    f.v_baseline_mv,
    f.stim_amp_pa,
    f.peak_deflect_v_mv,
    f.peak_deflect_index,
    f.tau,
    f.tau_corrected,
    f.tau_rmse_mv,
    f.sag,
    f.n_pauses,
    f.pause_fraction,
    f.n_bursts,
    f.max_burstiness_index,
    f.delay_ratio,
    f.delay_tau,
    f.feature_flags,
    f.error
from icephys.sweep_features_of('_sweeps') as f
