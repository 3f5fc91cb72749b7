-- one long square of one cell as a point of its f-I curve
-- spec: cell_types section 5
-- partition: specimen_id
--   stim_amp_pa       amplitude of the step (pA)
--   avg_rate          spikes during the step over its length (spikes/s)
--   n_spikes          spikes during the step
--   f_i_curve_slope   of the cell: slope of rate over amplitude, of sweeps with spikes; NULL below two (1/(s pA))
select
    i.specimen_id,
    i.sweep_number,
    i.stim_amp_pa,
    i.avg_rate,
    i.n_spikes,
    nullif(
        regr_slope(i.avg_rate, case when i.avg_rate > 0 then i.stim_amp_pa end) over (partition by i.specimen_id),
        'nan'::double
    ) as f_i_curve_slope
from icephys.cell_feature_inputs as i
where i.stimulus_class = 'long_square'
    and i.error is null
