-- one recorded cell with its features as the warehouse publishes them, computed from its sweeps
-- spec: cell_types 4.5.6, CT-104
-- sdk: generate_output_cell_features, nan_get, extract_data
-- partition: specimen_id
-- The columns of icephys.published_ephys_features, in its units; has_burst, has_pause and has_delay are always unknown.
--   adaptation                                adaptation index of the hero sweep (1)
--   avg_isi_ms                                mean interspike interval of the hero sweep (ms)
--   f_i_curve_slope                           slope of rate over amplitude of spiking long squares (1/(s pA))
--   latency                                   latency of the hero sweep (s)
--   rheobase_sweep_id                         the warehouse's id of the rheobase sweep
--   rheobase_sweep_number                     spiking long square of least amplitude
--   ri_mohm                                   input resistance (MOhm)
--   sag                                       sag of the sweep that goes nearest to -100 mV (1)
--   tau_ms                                    membrane time constant (ms)
--   thumbnail_sweep_id                        the warehouse's id of the hero sweep
--   thumbnail_sweep_number                    the hero sweep
--   vm_for_sag_mv                             extreme potential of the sweep that sag is of (mV)
--   vrest_mv                                  mean potential before long squares (mV)
--   threshold_t_long_square                   rheobase sweep, first spike: time of its threshold (s)
--   threshold_v_long_square_mv                rheobase sweep, first spike: potential of its threshold (mV)
--   peak_t_long_square                        rheobase sweep, first spike: time of its peak (s)
--   peak_v_long_square_mv                     rheobase sweep, first spike: potential of its peak (mV)
--   trough_t_long_square                      rheobase sweep, first spike: time of its trough (s)
--   trough_v_long_square_mv                   rheobase sweep, first spike: potential of its trough (mV)
--   fast_trough_t_long_square                 rheobase sweep, first spike: time of its fast trough (s)
--   fast_trough_v_long_square_mv              rheobase sweep, first spike: potential of its fast trough (mV)
--   slow_trough_t_long_square                 rheobase sweep, first spike: time of its slow trough (s)
--   slow_trough_v_long_square_mv              rheobase sweep, first spike: potential of its slow trough (mV)
--   threshold_i_long_square_pa                rheobase sweep, first spike: current of its threshold (pA)
--   upstroke_downstroke_ratio_long_square     rheobase sweep, first spike: upstroke over downstroke (1)
--   threshold_t_ramp                          mean over spiking ramps, first spike: time of its threshold (s)
--   threshold_v_ramp_mv                       mean over spiking ramps, first spike: potential of its threshold (mV)
--   peak_t_ramp                               mean over spiking ramps, first spike: time of its peak (s)
--   peak_v_ramp_mv                            mean over spiking ramps, first spike: potential of its peak (mV)
--   trough_t_ramp                             mean over spiking ramps, first spike: time of its trough (s)
--   trough_v_ramp_mv                          mean over spiking ramps, first spike: potential of its trough (mV)
--   fast_trough_t_ramp                        mean over spiking ramps, first spike: time of its fast trough (s)
--   fast_trough_v_ramp_mv                     mean over spiking ramps, first spike: potential of its fast trough (mV)
--   slow_trough_t_ramp                        mean over spiking ramps, first spike: time of its slow trough (s)
--   slow_trough_v_ramp_mv                     mean over spiking ramps, first spike: potential of its slow trough (mV)
--   threshold_i_ramp_pa                       mean over spiking ramps, first spike: current of its threshold (pA)
--   upstroke_downstroke_ratio_ramp            mean over spiking ramps, first spike: upstroke over downstroke (1)
--   threshold_t_short_square                  mean over short squares of the most frequent amplitude, first spike: time
--                                             of its threshold (s)
--   threshold_v_short_square_mv               mean over short squares of the most frequent amplitude, first spike:
--                                             potential of its threshold (mV)
--   peak_t_short_square                       mean over short squares of the most frequent amplitude, first spike: time
--                                             of its peak (s)
--   peak_v_short_square_mv                    mean over short squares of the most frequent amplitude, first spike:
--                                             potential of its peak (mV)
--   trough_t_short_square                     mean over short squares of the most frequent amplitude, first spike: time
--                                             of its trough (s)
--   trough_v_short_square_mv                  mean over short squares of the most frequent amplitude, first spike:
--                                             potential of its trough (mV)
--   fast_trough_t_short_square                mean over short squares of the most frequent amplitude, first spike: time
--                                             of its fast trough (s)
--   fast_trough_v_short_square_mv             mean over short squares of the most frequent amplitude, first spike:
--                                             potential of its fast trough (mV)
--   slow_trough_t_short_square                mean over short squares of the most frequent amplitude, first spike: time
--                                             of its slow trough (s)
--   slow_trough_v_short_square_mv             mean over short squares of the most frequent amplitude, first spike:
--                                             potential of its slow trough (mV)
--   threshold_i_short_square_pa               most frequent amplitude of spiking short squares (pA)
--   upstroke_downstroke_ratio_short_square    mean over short squares of the most frequent amplitude, first spike:
--                                             upstroke over downstroke (1)
--   has_burst                                 not told by the reference
--   has_pause                                 not told by the reference
--   has_delay                                 not told by the reference
--   status                                    ok, or the first of what is missing, as in icephys.cell_features;
--                                             missing_sweep_id where the
--                                             warehouse's ids of the rheobase and hero sweep are not in this lake
select
    f.specimen_id,
    f.adaptation,
    1000.0::double * f.mean_isi as avg_isi_ms,
    f.f_i_curve_slope,
    f.latency,
    r.sweep_id as rheobase_sweep_id,
    f.rheobase_sweep_number,
    f.input_resistance_mohm as ri_mohm,
    f.sag,
    1000.0::double * f.tau as tau_ms,
    h.sweep_id as thumbnail_sweep_id,
    f.hero_sweep_number as thumbnail_sweep_number,
    f.vm_for_sag_mv,
    f.v_baseline_mv as vrest_mv,
    f.threshold_t_long_square,
    f.threshold_v_long_square_mv,
    f.peak_t_long_square,
    f.peak_v_long_square_mv,
    f.trough_t_long_square,
    f.trough_v_long_square_mv,
    f.fast_trough_t_long_square,
    f.fast_trough_v_long_square_mv,
    f.slow_trough_t_long_square,
    f.slow_trough_v_long_square_mv,
    f.threshold_i_long_square_pa,
    f.upstroke_downstroke_ratio_long_square,
    f.threshold_t_ramp,
    f.threshold_v_ramp_mv,
    f.peak_t_ramp,
    f.peak_v_ramp_mv,
    f.trough_t_ramp,
    f.trough_v_ramp_mv,
    f.fast_trough_t_ramp,
    f.fast_trough_v_ramp_mv,
    f.slow_trough_t_ramp,
    f.slow_trough_v_ramp_mv,
    f.threshold_i_ramp_pa,
    f.upstroke_downstroke_ratio_ramp,
    f.threshold_t_short_square,
    f.threshold_v_short_square_mv,
    f.peak_t_short_square,
    f.peak_v_short_square_mv,
    f.trough_t_short_square,
    f.trough_v_short_square_mv,
    f.fast_trough_t_short_square,
    f.fast_trough_v_short_square_mv,
    f.slow_trough_t_short_square,
    f.slow_trough_v_short_square_mv,
    f.short_square_amplitude_pa as threshold_i_short_square_pa,
    f.upstroke_downstroke_ratio_short_square,
    null::boolean as has_burst,
    null::boolean as has_pause,
    null::boolean as has_delay,
    case
        when f.status = 'ok' and (r.sweep_id is null or h.sweep_id is null) then 'missing_sweep_id'
        else f.status
    end as status
from icephys.cell_features as f
left join icephys.api_sweeps as r
    on r.specimen_id = f.specimen_id
    and r.sweep_number = f.rheobase_sweep_number
left join icephys.api_sweeps as h
    on h.specimen_id = f.specimen_id
    and h.sweep_number = f.hero_sweep_number
