-- the published electrophysiology features of one cell, whichever source tells of them
-- spec: cell_types 2.1, 3.1, CT-024, CT-053
-- sdk: CellTypesApi.get_ephys_features, CellTypesCache.get_ephys_features
--   source   where the row comes from: api, or csv where the API's record is not in the lake
select
    a.specimen_id, a.ephys_feature_id, a.adaptation, a.avg_isi_ms, a.electrode_0_pa, a.f_i_curve_slope,
    a.has_burst, a.has_delay, a.has_pause, a.input_resistance_mohm, a.latency, a.rheobase_sweep_id,
    a.rheobase_sweep_number, a.ri_mohm, a.sag, a.seal_gohm, a.tau_ms, a.thumbnail_sweep_id, a.vm_for_sag_mv,
    a.vrest_mv, a.threshold_t_long_square, a.threshold_v_long_square_mv, a.peak_t_long_square,
    a.peak_v_long_square_mv, a.trough_t_long_square, a.trough_v_long_square_mv, a.fast_trough_t_long_square,
    a.fast_trough_v_long_square_mv, a.slow_trough_t_long_square, a.slow_trough_v_long_square_mv,
    a.threshold_i_long_square_pa, a.upstroke_downstroke_ratio_long_square, a.threshold_t_ramp,
    a.threshold_v_ramp_mv, a.peak_t_ramp, a.peak_v_ramp_mv, a.trough_t_ramp, a.trough_v_ramp_mv,
    a.fast_trough_t_ramp, a.fast_trough_v_ramp_mv, a.slow_trough_t_ramp, a.slow_trough_v_ramp_mv,
    a.threshold_i_ramp_pa, a.upstroke_downstroke_ratio_ramp, a.threshold_t_short_square,
    a.threshold_v_short_square_mv, a.peak_t_short_square, a.peak_v_short_square_mv, a.trough_t_short_square,
    a.trough_v_short_square_mv, a.fast_trough_t_short_square, a.fast_trough_v_short_square_mv,
    a.slow_trough_t_short_square, a.slow_trough_v_short_square_mv, a.threshold_i_short_square_pa,
    a.upstroke_downstroke_ratio_short_square, a.extra,
    'api' as source
from icephys.api_ephys_features as a
union all
select
    t.specimen_id, t.ephys_feature_id, t.adaptation, t.avg_isi_ms, t.electrode_0_pa, t.f_i_curve_slope,
    t.has_burst, t.has_delay, t.has_pause, t.input_resistance_mohm, t.latency, t.rheobase_sweep_id,
    t.rheobase_sweep_number, t.ri_mohm, t.sag, t.seal_gohm, t.tau_ms, t.thumbnail_sweep_id, t.vm_for_sag_mv,
    t.vrest_mv, t.threshold_t_long_square, t.threshold_v_long_square_mv, t.peak_t_long_square,
    t.peak_v_long_square_mv, t.trough_t_long_square, t.trough_v_long_square_mv, t.fast_trough_t_long_square,
    t.fast_trough_v_long_square_mv, t.slow_trough_t_long_square, t.slow_trough_v_long_square_mv,
    t.threshold_i_long_square_pa, t.upstroke_downstroke_ratio_long_square, t.threshold_t_ramp,
    t.threshold_v_ramp_mv, t.peak_t_ramp, t.peak_v_ramp_mv, t.trough_t_ramp, t.trough_v_ramp_mv,
    t.fast_trough_t_ramp, t.fast_trough_v_ramp_mv, t.slow_trough_t_ramp, t.slow_trough_v_ramp_mv,
    t.threshold_i_ramp_pa, t.upstroke_downstroke_ratio_ramp, t.threshold_t_short_square,
    t.threshold_v_short_square_mv, t.peak_t_short_square, t.peak_v_short_square_mv, t.trough_t_short_square,
    t.trough_v_short_square_mv, t.fast_trough_t_short_square, t.fast_trough_v_short_square_mv,
    t.slow_trough_t_short_square, t.slow_trough_v_short_square_mv, t.threshold_i_short_square_pa,
    t.upstroke_downstroke_ratio_short_square, t.extra,
    'csv'
from icephys.csv_ephys_features as t
anti join icephys.api_ephys_features as a on a.specimen_id = t.specimen_id
