-- one recorded cell with the features of its long squares, short squares and ramps; what cannot be told is said
-- spec: cell_types 3.3, 4.5.3, CT-089, CT-205
-- sdk: EphysCellFeatureExtractor.cell_features, EphysCellFeatureExtractor.as_dict, extract_cell_features
-- partition: specimen_id
-- Other settings: icephys.cell_features_of over icephys.measure_cell_sweeps over icephys.cell_sweeps.
--   input_resistance_mohm                     slope of the lowest potential over the current there, of membrane sweeps
--                                             (MOhm)
--   tau                                       mean time constant of membrane sweeps (s)
--   v_baseline_mv                             mean potential before long squares; NULL if one has none (mV)
--   sag                                       of the sweep that goes nearest to -100 mV (1)
--   vm_for_sag_mv                             extreme potential of that sweep (mV)
--   f_i_curve_slope                           slope of rate over amplitude of spiking long squares (1/(s pA))
--   rheobase_i_pa                             amplitude of the rheobase sweep (pA)
--   rheobase_sweep_number                     spiking long square of least amplitude
--   hero_sweep_number                         least spiking long square 39 to 61 pA above rheobase
--   hero_amp_pa                               its amplitude (pA)
--   adaptation                                adaptation index of the hero sweep (1)
--   latency                                   first spike of the hero sweep after the start of the stimulus (s)
--   mean_isi                                  mean interspike interval of the hero sweep (s)
--   short_square_amplitude_pa                 most frequent amplitude of spiking short squares (pA)
--   subthreshold_min_amp_pa                   membrane sweeps have amplitudes between it and 0 (pA)
--   upstroke_downstroke_ratio_long_square     rheobase sweep, first spike: upstroke over downstroke (1)
--   peak_v_long_square_mv                     rheobase sweep, first spike: potential of the peak (mV)
--   peak_t_long_square                        rheobase sweep, first spike: time of the peak (s)
--   trough_v_long_square_mv                   rheobase sweep, first spike: potential of the trough (mV)
--   trough_t_long_square                      rheobase sweep, first spike: time of the trough (s)
--   fast_trough_v_long_square_mv              rheobase sweep, first spike: potential of the fast trough (mV)
--   fast_trough_t_long_square                 rheobase sweep, first spike: time of the fast trough (s)
--   slow_trough_v_long_square_mv              rheobase sweep, first spike: potential of the slow trough (mV)
--   slow_trough_t_long_square                 rheobase sweep, first spike: time of the slow trough (s)
--   threshold_v_long_square_mv                rheobase sweep, first spike: potential at threshold (mV)
--   threshold_i_long_square_pa                rheobase sweep, first spike: current at threshold (pA)
--   threshold_t_long_square                   rheobase sweep, first spike: time of the threshold (s)
--   upstroke_downstroke_ratio_ramp            first spikes of spiking ramps, mean, NULL if one has none: upstroke over
--                                             downstroke (1)
--   peak_v_ramp_mv                            first spikes of spiking ramps, mean, NULL if one has none: potential of
--                                             the peak (mV)
--   peak_t_ramp                               first spikes of spiking ramps, mean, NULL if one has none: time of the
--                                             peak (s)
--   trough_v_ramp_mv                          first spikes of spiking ramps, mean, NULL if one has none: potential of
--                                             the trough (mV)
--   trough_t_ramp                             first spikes of spiking ramps, mean, NULL if one has none: time of the
--                                             trough (s)
--   fast_trough_v_ramp_mv                     first spikes of spiking ramps, mean, NULL if one has none: potential of
--                                             the fast trough (mV)
--   fast_trough_t_ramp                        first spikes of spiking ramps, mean, NULL if one has none: time of the
--                                             fast trough (s)
--   slow_trough_v_ramp_mv                     first spikes of spiking ramps, mean, NULL if one has none: potential of
--                                             the slow trough (mV)
--   slow_trough_t_ramp                        first spikes of spiking ramps, mean, NULL if one has none: time of the
--                                             slow trough (s)
--   threshold_v_ramp_mv                       first spikes of spiking ramps, mean, NULL if one has none: potential at
--                                             threshold (mV)
--   threshold_i_ramp_pa                       first spikes of spiking ramps, mean, NULL if one has none: current at
--                                             threshold (pA)
--   threshold_t_ramp                          first spikes of spiking ramps, mean, NULL if one has none: time of the
--                                             threshold (s)
--   upstroke_downstroke_ratio_short_square    first spikes of short squares of that amplitude, mean, NULL if one has
--                                             none: upstroke over downstroke (1)
--   peak_v_short_square_mv                    first spikes of short squares of that amplitude, mean, NULL if one has
--                                             none: potential of the peak (mV)
--   peak_t_short_square                       first spikes of short squares of that amplitude, mean, NULL if one has
--                                             none: time of the peak (s)
--   trough_v_short_square_mv                  first spikes of short squares of that amplitude, mean, NULL if one has
--                                             none: potential of the trough (mV)
--   trough_t_short_square                     first spikes of short squares of that amplitude, mean, NULL if one has
--                                             none: time of the trough (s)
--   fast_trough_v_short_square_mv             first spikes of short squares of that amplitude, mean, NULL if one has
--                                             none: potential of the fast trough (mV)
--   fast_trough_t_short_square                first spikes of short squares of that amplitude, mean, NULL if one has
--                                             none: time of the fast trough (s)
--   slow_trough_v_short_square_mv             first spikes of short squares of that amplitude, mean, NULL if one has
--                                             none: potential of the slow trough (mV)
--   slow_trough_t_short_square                first spikes of short squares of that amplitude, mean, NULL if one has
--                                             none: time of the slow trough (s)
--   threshold_v_short_square_mv               first spikes of short squares of that amplitude, mean, NULL if one has
--                                             none: potential at threshold (mV)
--   threshold_i_short_square_pa               first spikes of short squares of that amplitude, mean, NULL if one has
--                                             none: current at threshold (pA)
--   threshold_t_short_square                  first spikes of short squares of that amplitude, mean, NULL if one has
--                                             none: time of the threshold (s)
--   n_long_squares                            long squares
--   n_short_squares                           short squares
--   n_ramps                                   ramps
--   n_spiking_long_squares                    long squares with spikes
--   n_spiking_short_squares                   short squares with spikes
--   n_subthreshold_long_squares               long squares without
--   n_membrane_sweeps                         membrane sweeps
--   n_failed_sweeps                           sweeps that could not be analysed
--   sweep_error                               what the first of these says
--   status                                    ok, or the first of the errors
--   errors                                    what is missing, in the order in which the reference would stop:
--                                             no_ramps, no_short_squares,
--                                             no_long_squares, sweep_failed, short_squares_silent, long_squares_silent,
--                                             too_few_spiking_long_squares, no_subthreshold_long_squares,
--                                             no_membrane_sweeps, no_hero
--   error                                     the errors in words
with _inputs as (
    select
        i.specimen_id,
        i.sweep_number,
        i.stimulus_class,
        i.subthreshold_min_amp_pa,
        i.n_spikes,
        i.avg_rate,
        i.adaptation,
        i.latency,
        i.mean_isi,
        i.stim_amp_pa,
        i.v_baseline_mv,
        i.peak_deflect_v_mv,
        i.deepest_v_mv,
        i.deepest_i_pa,
        i.sag,
        i.tau,
        i.upstroke_downstroke_ratio,
        i.peak_v_mv,
        i.peak_t,
        i.trough_v_mv,
        i.trough_t,
        i.fast_trough_v_mv,
        i.fast_trough_t,
        i.slow_trough_v_mv,
        i.slow_trough_t,
        i.threshold_v_mv,
        i.threshold_i_pa,
        i.threshold_t,
        i.error
    from icephys.cell_feature_inputs as i
),
_recorded as (
    select distinct n.specimen_id
    from icephys.nwb_sweeps as n
)
select
    c.specimen_id,
    f.input_resistance_mohm,
    f.tau,
    f.v_baseline_mv,
    f.sag,
    f.vm_for_sag_mv,
    f.f_i_curve_slope,
    f.rheobase_i_pa,
    f.rheobase_sweep_number,
    f.hero_sweep_number,
    f.hero_amp_pa,
    f.adaptation,
    f.latency,
    f.mean_isi,
    f.short_square_amplitude_pa,
    f.subthreshold_min_amp_pa,
    f.upstroke_downstroke_ratio_long_square,
    f.peak_v_long_square_mv,
    f.peak_t_long_square,
    f.trough_v_long_square_mv,
    f.trough_t_long_square,
    f.fast_trough_v_long_square_mv,
    f.fast_trough_t_long_square,
    f.slow_trough_v_long_square_mv,
    f.slow_trough_t_long_square,
    f.threshold_v_long_square_mv,
    f.threshold_i_long_square_pa,
    f.threshold_t_long_square,
    f.upstroke_downstroke_ratio_ramp,
    f.peak_v_ramp_mv,
    f.peak_t_ramp,
    f.trough_v_ramp_mv,
    f.trough_t_ramp,
    f.fast_trough_v_ramp_mv,
    f.fast_trough_t_ramp,
    f.slow_trough_v_ramp_mv,
    f.slow_trough_t_ramp,
    f.threshold_v_ramp_mv,
    f.threshold_i_ramp_pa,
    f.threshold_t_ramp,
    f.upstroke_downstroke_ratio_short_square,
    f.peak_v_short_square_mv,
    f.peak_t_short_square,
    f.trough_v_short_square_mv,
    f.trough_t_short_square,
    f.fast_trough_v_short_square_mv,
    f.fast_trough_t_short_square,
    f.slow_trough_v_short_square_mv,
    f.slow_trough_t_short_square,
    f.threshold_v_short_square_mv,
    f.threshold_i_short_square_pa,
    f.threshold_t_short_square,
    coalesce(f.n_long_squares, 0) as n_long_squares,
    coalesce(f.n_short_squares, 0) as n_short_squares,
    coalesce(f.n_ramps, 0) as n_ramps,
    coalesce(f.n_spiking_long_squares, 0) as n_spiking_long_squares,
    coalesce(f.n_spiking_short_squares, 0) as n_spiking_short_squares,
    coalesce(f.n_subthreshold_long_squares, 0) as n_subthreshold_long_squares,
    coalesce(f.n_membrane_sweeps, 0) as n_membrane_sweeps,
    coalesce(f.n_failed_sweeps, 0) as n_failed_sweeps,
    f.sweep_error,
    coalesce(f.status, 'no_ramps') as status,
    coalesce(f.errors, ['no_ramps', 'no_short_squares', 'no_long_squares']) as errors,
    case
        when f.specimen_id is null then 'the recording has no ramp, short square or long square'
        else f.error
    end as error
from _recorded as c
left join icephys.cell_features_of('_inputs') as f on f.specimen_id = c.specimen_id
