-- one cell with the features of its long squares, short squares and ramps; what cannot be told is said
-- spec: cell_types 4.5.3, CT-089, CT-091, CT-205
-- sdk: EphysCellFeatureExtractor.cell_features, EphysCellFeatureExtractor.process, extract_cell_features, mean_features_spike_zero, fit_fi_slope, input_resistance, membrane_time_constant
-- macro: icephys.cell_features_of(measured, subthreshold_min_amp := null)
--   measured                                  relation as icephys.cell_feature_inputs or icephys.measure_cell_sweeps
--                                             give it
--   subthreshold_min_amp                      membrane properties come from amplitudes above it; by default as the
--                                             relation tells (pA)
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
with _roles as (
    select
        p.*,
        p.is_spiking and p.stimulus_class = 'ramp' as is_spiking_ramp,
        p.is_spiking and p.stimulus_class = 'long_square' as is_spiking_long
    from icephys.cell_feature_roles(measured, subthreshold_min_amp := subthreshold_min_amp) as p
),
_cells as (
    select
        r.specimen_id,
        1000.0::double * case count(*) filter (where r.is_membrane)
            when 1 then max((r.deepest_v_mv - r.v_baseline_mv) / nullif(r.deepest_i_pa, 0)) filter (where r.is_membrane)
            else nullif(regr_slope(r.deepest_v_mv, r.deepest_i_pa) filter (where r.is_membrane), 'nan'::double)
        end as input_resistance_mohm,
        avg(r.tau) filter (where r.is_membrane) as tau,
        icephys.plain_mean(r.v_baseline_mv, r.stimulus_class = 'long_square') as v_baseline_mv,
        max(r.sag) filter (where r.is_vm_for_sag) as sag,
        max(r.peak_deflect_v_mv) filter (where r.is_vm_for_sag) as vm_for_sag_mv,
        nullif(regr_slope(r.avg_rate, r.stim_amp_pa) filter (where r.is_spiking_long), 'nan'::double)
            as f_i_curve_slope,
        max(r.stim_amp_pa) filter (where r.is_rheobase) as rheobase_i_pa,
        max(r.sweep_number) filter (where r.is_rheobase) as rheobase_sweep_number,
        max(r.sweep_number) filter (where r.is_hero) as hero_sweep_number,
        max(r.stim_amp_pa) filter (where r.is_hero) as hero_amp_pa,
        max(r.adaptation) filter (where r.is_hero) as adaptation,
        max(r.latency) filter (where r.is_hero) as latency,
        max(r.mean_isi) filter (where r.is_hero) as mean_isi,
        max(r.stim_amp_pa) filter (where r.is_common_amp) as short_square_amplitude_pa,
        coalesce(subthreshold_min_amp::double, any_value(r.subthreshold_min_amp_pa), -100.0::double)
            as subthreshold_min_amp_pa,
        max(r.upstroke_downstroke_ratio) filter (where r.is_rheobase) as upstroke_downstroke_ratio_long_square,
        max(r.peak_v_mv) filter (where r.is_rheobase) as peak_v_long_square_mv,
        max(r.peak_t) filter (where r.is_rheobase) as peak_t_long_square,
        max(r.trough_v_mv) filter (where r.is_rheobase) as trough_v_long_square_mv,
        max(r.trough_t) filter (where r.is_rheobase) as trough_t_long_square,
        max(r.fast_trough_v_mv) filter (where r.is_rheobase) as fast_trough_v_long_square_mv,
        max(r.fast_trough_t) filter (where r.is_rheobase) as fast_trough_t_long_square,
        max(r.slow_trough_v_mv) filter (where r.is_rheobase) as slow_trough_v_long_square_mv,
        max(r.slow_trough_t) filter (where r.is_rheobase) as slow_trough_t_long_square,
        max(r.threshold_v_mv) filter (where r.is_rheobase) as threshold_v_long_square_mv,
        max(r.threshold_i_pa) filter (where r.is_rheobase) as threshold_i_long_square_pa,
        max(r.threshold_t) filter (where r.is_rheobase) as threshold_t_long_square,
        icephys.plain_mean(r.upstroke_downstroke_ratio, r.is_spiking_ramp) as upstroke_downstroke_ratio_ramp,
        icephys.plain_mean(r.peak_v_mv, r.is_spiking_ramp) as peak_v_ramp_mv,
        icephys.plain_mean(r.peak_t, r.is_spiking_ramp) as peak_t_ramp,
        icephys.plain_mean(r.trough_v_mv, r.is_spiking_ramp) as trough_v_ramp_mv,
        icephys.plain_mean(r.trough_t, r.is_spiking_ramp) as trough_t_ramp,
        icephys.plain_mean(r.fast_trough_v_mv, r.is_spiking_ramp) as fast_trough_v_ramp_mv,
        icephys.plain_mean(r.fast_trough_t, r.is_spiking_ramp) as fast_trough_t_ramp,
        icephys.plain_mean(r.slow_trough_v_mv, r.is_spiking_ramp) as slow_trough_v_ramp_mv,
        icephys.plain_mean(r.slow_trough_t, r.is_spiking_ramp) as slow_trough_t_ramp,
        icephys.plain_mean(r.threshold_v_mv, r.is_spiking_ramp) as threshold_v_ramp_mv,
        icephys.plain_mean(r.threshold_i_pa, r.is_spiking_ramp) as threshold_i_ramp_pa,
        icephys.plain_mean(r.threshold_t, r.is_spiking_ramp) as threshold_t_ramp,
        icephys.plain_mean(r.upstroke_downstroke_ratio, r.is_common_amp) as upstroke_downstroke_ratio_short_square,
        icephys.plain_mean(r.peak_v_mv, r.is_common_amp) as peak_v_short_square_mv,
        icephys.plain_mean(r.peak_t, r.is_common_amp) as peak_t_short_square,
        icephys.plain_mean(r.trough_v_mv, r.is_common_amp) as trough_v_short_square_mv,
        icephys.plain_mean(r.trough_t, r.is_common_amp) as trough_t_short_square,
        icephys.plain_mean(r.fast_trough_v_mv, r.is_common_amp) as fast_trough_v_short_square_mv,
        icephys.plain_mean(r.fast_trough_t, r.is_common_amp) as fast_trough_t_short_square,
        icephys.plain_mean(r.slow_trough_v_mv, r.is_common_amp) as slow_trough_v_short_square_mv,
        icephys.plain_mean(r.slow_trough_t, r.is_common_amp) as slow_trough_t_short_square,
        icephys.plain_mean(r.threshold_v_mv, r.is_common_amp) as threshold_v_short_square_mv,
        icephys.plain_mean(r.threshold_i_pa, r.is_common_amp) as threshold_i_short_square_pa,
        icephys.plain_mean(r.threshold_t, r.is_common_amp) as threshold_t_short_square,
        count(*) filter (where r.stimulus_class = 'long_square') as n_long_squares,
        count(*) filter (where r.stimulus_class = 'short_square') as n_short_squares,
        count(*) filter (where r.stimulus_class = 'ramp') as n_ramps,
        count(*) filter (where r.is_spiking_long) as n_spiking_long_squares,
        count(*) filter (where r.is_spiking and r.stimulus_class = 'short_square') as n_spiking_short_squares,
        count(*) filter (where r.is_subthreshold) as n_subthreshold_long_squares,
        count(*) filter (where r.is_membrane) as n_membrane_sweeps,
        count(r.error) as n_failed_sweeps,
        arg_min(r.error, r.sweep_number) filter (where r.error is not null) as sweep_error
    from _roles as r
    group by r.specimen_id
),
_problems as (
    select
        c.*,
        list_filter(
            [
                case when c.n_ramps = 0 then {'code': 'no_ramps', 'words': 'no ramp'} end,
                case when c.n_short_squares = 0 then {'code': 'no_short_squares', 'words': 'no short square'} end,
                case when c.n_long_squares = 0 then {'code': 'no_long_squares', 'words': 'no long square'} end,
                case
                    when c.n_failed_sweeps > 0
                        then {'code': 'sweep_failed', 'words': c.n_failed_sweeps || ' failed: ' || c.sweep_error}
                end,
                case
                    when c.n_short_squares > 0 and c.n_spiking_short_squares = 0
                        then {'code': 'short_squares_silent', 'words': 'no short square has a spike'}
                end,
                case
                    when c.n_long_squares > 0 and c.n_spiking_long_squares = 0
                        then {'code': 'long_squares_silent', 'words': 'no long square has a spike'}
                end,
                case
                    when c.n_spiking_long_squares = 1
                        then {'code': 'too_few_spiking_long_squares', 'words': 'a slope takes two spiking long squares'}
                end,
                case
                    when c.n_long_squares > 0 and c.n_subthreshold_long_squares = 0
                        then {'code': 'no_subthreshold_long_squares', 'words': 'every long square has spikes'}
                end,
                case
                    when c.n_subthreshold_long_squares > 0 and c.n_membrane_sweeps = 0
                        then {
                            'code': 'no_membrane_sweeps',
                            'words': 'no amplitude lies between ' || c.subthreshold_min_amp_pa || ' and 0 pA'
                        }
                end,
                case
                    when c.n_spiking_long_squares > 0 and c.hero_sweep_number is null
                        then {'code': 'no_hero', 'words': 'no long square lies 39 to 61 pA above rheobase with spikes'}
                end
            ],
            lambda problem: problem is not null
        ) as problems
    from _cells as c
)
select
    p.* exclude (problems),
    coalesce(p.problems[1].code, 'ok') as status,
    list_transform(p.problems, lambda problem: problem.code) as errors,
    nullif(array_to_string(list_transform(p.problems, lambda problem: problem.words), '; '), '') as error
from _problems as p
