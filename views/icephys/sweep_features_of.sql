-- one current-clamp sweep with its features, or the reason why it has none
-- spec: cell_types SF-1, SF-2, SF-3, SF-4, SF-5, SF-6, SF-7, SF-8, SF-9, SF-10, SF-11, SF-12, CT-082, CT-100
-- sdk: EphysSweepFeatureExtractor.sweep_features, EphysSweepFeatureExtractor.as_dict
-- macro: icephys.sweep_features_of(sweeps, filter_khz := 10.0, dv_cutoff := 20.0, max_interval := 0.005, min_height := 2.0, min_peak := -30.0, thresh_frac := 0.05, corrected := false, max_rmse := 0.0001)
--   sweeps                 relation (specimen_id, sweep_number, response, sampling_rate) in V and Hz, where it has them with stimulus (A),
--                               window_start, window_stop (s), stimulus_class, adjusted_dv_cutoff (V/s),
--                               adjusted_thresh_frac: whatever a sweep lacks comes from the parameters
--   filter_khz             corner of the low-pass filter before dV/dt; NULL for none. Sampling rates up to twice of it are refused (kHz)
--   dv_cutoff              slope at which a spike is looked for (V/s)
--   max_interval           longest time from threshold to peak (s)
--   min_height             least height of a peak above its start (mV)
--   min_peak               least potential of a peak (mV)
--   thresh_frac            share of the mean upstroke that is the threshold (1)
--   corrected              the reference's slips put right (EF-7, SF-5, SF-12)
--   max_rmse               of a fit that tau_corrected accepts (mV)
--   specimen_id            cell
--   sweep_number           sweep
--   stimulus_class         as given
--   window_start           start of the window, as given (s)
--   window_stop            its end, as given (s)
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
        g.stimulus_class,
        g.window_start,
        g.window_stop,
        g.cutoff as used_dv_cutoff,
        g.fraction as used_thresh_frac,
        sweep_features(
            g.response, g.stimulus, g.sampling_rate, g.window_start, g.window_stop, filter_khz::double, g.cutoff,
            max_interval::double, min_height::double, min_peak::double, g.fraction, corrected::boolean,
            g.stimulus_class, max_rmse::double
        ) as f
    from _given as g
)
select
    t.specimen_id,
    t.sweep_number,
    t.stimulus_class,
    t.window_start,
    t.window_stop,
    t.used_dv_cutoff,
    t.used_thresh_frac,
    t.f.n_spikes,
    t.f.avg_rate,
    t.f.adaptation,
    t.f.latency,
    t.f.isi_cv,
    t.f.mean_isi,
    t.f.median_isi,
    t.f.first_isi,
    t.f.v_baseline_mv,
    t.f.stim_amp_pa,
    t.f.peak_deflect_v_mv,
    t.f.peak_deflect_index,
    t.f.tau,
    t.f.tau_corrected,
    t.f.tau_rmse_mv,
    t.f.sag,
    t.f.n_pauses,
    t.f.pause_fraction,
    t.f.n_bursts,
    t.f.max_burstiness_index,
    t.f.delay_ratio,
    t.f.delay_tau,
    t.f.feature_flags,
    t.f.error
from _told as t
