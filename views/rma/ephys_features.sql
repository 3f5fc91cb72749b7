-- published electrophysiology features of one cell, under the names of the API's EphysFeature
-- spec: cell_types 2.1, 5, CT-024, CT-053
-- sdk: CellTypesApi.get_ephys_features, CellTypesCache.get_ephys_features
--   avg_isi                      mean interspike interval of the hero sweep, in ms
--   fast_trough_v_long_square    potential at the fast trough, first spike of the rheobase sweep, in mV
--   fast_trough_v_ramp           potential at the fast trough, mean of the first spikes of ramps, in mV
--   fast_trough_v_short_square   potential at the fast trough, mean of the first spikes of short squares, in mV
--   id                           the API's id of the record
--   peak_v_long_square           potential at the peak, first spike of the rheobase sweep, in mV
--   peak_v_ramp                  potential at the peak, mean of the first spikes of ramps, in mV
--   peak_v_short_square          potential at the peak, mean of the first spikes of short squares, in mV
--   ri                           input resistance from subthreshold long squares, in MOhm
--   slow_trough_v_long_square    potential at the slow trough, first spike of the rheobase sweep, in mV
--   slow_trough_v_ramp           potential at the slow trough, mean of the first spikes of ramps, in mV
--   slow_trough_v_short_square   potential at the slow trough, mean of the first spikes of short squares, in mV
--   tau                          membrane time constant, in ms
--   threshold_i_long_square      current at threshold, first spike of the rheobase sweep, in pA
--   threshold_i_ramp             current at threshold, mean of the first spikes of ramps, in pA
--   threshold_i_short_square     stimulus amplitude, short squares, in pA
--   threshold_v_long_square      potential at the threshold, first spike of the rheobase sweep, in mV
--   threshold_v_ramp             potential at the threshold, mean of the first spikes of ramps, in mV
--   threshold_v_short_square     potential at the threshold, mean of the first spikes of short squares, in mV
--   trough_v_long_square         potential at the trough, first spike of the rheobase sweep, in mV
--   trough_v_ramp                potential at the trough, mean of the first spikes of ramps, in mV
--   trough_v_short_square        potential at the trough, mean of the first spikes of short squares, in mV
--   vm_for_sag                   potential at which the sag was measured, in mV
--   vrest                        resting potential, in mV
-- `brainlake sql "from rma.ephys_features" -o ephys_features.csv` writes it as the reference's cache keeps it.
select
    r.adaptation,
    r.avg_isi_ms as avg_isi,
    r.electrode_0_pa,
    r.f_i_curve_slope,
    r.fast_trough_t_long_square,
    r.fast_trough_t_ramp,
    r.fast_trough_t_short_square,
    r.fast_trough_v_long_square_mv as fast_trough_v_long_square,
    r.fast_trough_v_ramp_mv as fast_trough_v_ramp,
    r.fast_trough_v_short_square_mv as fast_trough_v_short_square,
    r.has_burst,
    r.has_delay,
    r.has_pause,
    r.ephys_feature_id as id,
    r.input_resistance_mohm,
    r.latency,
    r.peak_t_long_square,
    r.peak_t_ramp,
    r.peak_t_short_square,
    r.peak_v_long_square_mv as peak_v_long_square,
    r.peak_v_ramp_mv as peak_v_ramp,
    r.peak_v_short_square_mv as peak_v_short_square,
    r.rheobase_sweep_id,
    r.rheobase_sweep_number,
    r.ri_mohm as ri,
    r.sag,
    r.seal_gohm,
    r.slow_trough_t_long_square,
    r.slow_trough_t_ramp,
    r.slow_trough_t_short_square,
    r.slow_trough_v_long_square_mv as slow_trough_v_long_square,
    r.slow_trough_v_ramp_mv as slow_trough_v_ramp,
    r.slow_trough_v_short_square_mv as slow_trough_v_short_square,
    r.specimen_id,
    r.tau_ms as tau,
    r.threshold_i_long_square_pa as threshold_i_long_square,
    r.threshold_i_ramp_pa as threshold_i_ramp,
    r.threshold_i_short_square_pa as threshold_i_short_square,
    r.threshold_t_long_square,
    r.threshold_t_ramp,
    r.threshold_t_short_square,
    r.threshold_v_long_square_mv as threshold_v_long_square,
    r.threshold_v_ramp_mv as threshold_v_ramp,
    r.threshold_v_short_square_mv as threshold_v_short_square,
    r.thumbnail_sweep_id,
    r.trough_t_long_square,
    r.trough_t_ramp,
    r.trough_t_short_square,
    r.trough_v_long_square_mv as trough_v_long_square,
    r.trough_v_ramp_mv as trough_v_ramp,
    r.trough_v_short_square_mv as trough_v_short_square,
    r.upstroke_downstroke_ratio_long_square,
    r.upstroke_downstroke_ratio_ramp,
    r.upstroke_downstroke_ratio_short_square,
    r.vm_for_sag_mv as vm_for_sag,
    r.vrest_mv as vrest
from icephys.published_ephys_features as r
order by r.specimen_id
