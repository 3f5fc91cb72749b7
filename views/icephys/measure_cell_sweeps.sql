-- one long square, short square or ramp of one cell, with what the cell's features need of it
-- spec: cell_types 4.5.2, 4.5.3, SF-13
-- sdk: extractor_for_nwb_sweeps, extract_sweep_features
-- macro: icephys.measure_cell_sweeps(sweeps, filter_khz := 10.0)
--   sweeps                     relation (specimen_id, sweep_number, response, stimulus, sampling_rate, stimulus_class,
--                               detection_group, detection_start, detection_stop, window_start, window_stop,
--                               subthreshold_min_amp_pa), as icephys.cell_sweeps has it beside samples in V and A
--   filter_khz                 corner of the low-pass filter before dV/dt; NULL for none (kHz)
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
with _charging as (
    select
        s.specimen_id,
        s.sweep_number,
        s.detection_group,
        dvdt_of_stimulus(
            s.response, s.sampling_rate, s.detection_start, s.detection_stop, filter_khz::double
        ) as during
    from query_table(sweeps) as s
    where s.detection_group is not null
),
_cutoffs as (
    select
        c.specimen_id,
        c.detection_group,
        1.1::double * median(c.during.highest) as dv_cutoff,
        1.2::double * median(c.during.at_end) as min_threshold
    from _charging as c
    group by c.specimen_id, c.detection_group
),
_upstrokes as (
    select
        s.specimen_id,
        s.detection_group,
        c.dv_cutoff,
        c.min_threshold,
        upstrokes_past_cutoff(s.response, s.sampling_rate, filter_khz::double, c.dv_cutoff) as upstrokes
    from query_table(sweeps) as s
    join _cutoffs as c
        on c.specimen_id = s.specimen_id
        and c.detection_group = s.detection_group
    where s.detection_group is not null
),
_adjusted as (
    select
        u.specimen_id,
        u.detection_group,
        any_value(u.dv_cutoff) as dv_cutoff,
        greatest(
            0.1::double,
            any_value(u.min_threshold) / nullif(sum(list_sum(u.upstrokes)) / nullif(sum(len(u.upstrokes)), 0), 0)
        ) as thresh_frac
    from _upstrokes as u
    group by u.specimen_id, u.detection_group
),
_measured as (
    select
        s.specimen_id,
        s.sweep_number,
        s.stimulus_class,
        s.subthreshold_min_amp_pa,
        coalesce(a.dv_cutoff, 20.0::double) as dv_cutoff,
        coalesce(a.thresh_frac, 0.05::double) as thresh_frac,
        measure_sweep_of_cell(
            s.response, s.stimulus, s.sampling_rate, s.window_start, s.window_stop, filter_khz::double,
            coalesce(a.dv_cutoff, 20.0::double), coalesce(a.thresh_frac, 0.05::double), s.stimulus_class
        ) as f
    from query_table(sweeps) as s
    left join _adjusted as a
        on a.specimen_id = s.specimen_id
        and a.detection_group = s.detection_group
)
select
    m.specimen_id,
    m.sweep_number,
    m.stimulus_class,
    m.subthreshold_min_amp_pa,
    m.dv_cutoff,
    m.thresh_frac,
    m.f.n_spikes,
    m.f.avg_rate,
    m.f.adaptation,
    m.f.latency,
    m.f.mean_isi,
    m.f.stim_amp_pa,
    m.f.v_baseline_mv,
    m.f.peak_deflect_v_mv,
    m.f.deepest_v_mv,
    m.f.deepest_i_pa,
    m.f.sag,
    m.f.tau,
    m.f.threshold_t,
    m.f.threshold_v_mv,
    m.f.threshold_i_pa,
    m.f.peak_t,
    m.f.peak_v_mv,
    m.f.trough_t,
    m.f.trough_v_mv,
    m.f.fast_trough_t,
    m.f.fast_trough_v_mv,
    m.f.slow_trough_t,
    m.f.slow_trough_v_mv,
    m.f.upstroke_downstroke_ratio,
    m.f.feature_flags,
    m.f.tau_error,
    m.f.error
from _measured as m
