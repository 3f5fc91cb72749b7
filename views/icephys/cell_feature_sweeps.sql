-- one role that one sweep plays in the features of one cell
-- spec: cell_types 3.3, 4.5.3
-- sdk: EphysCellFeatureExtractor.long_squares_features, EphysCellFeatureExtractor.ramps_features, EphysCellFeatureExtractor.short_squares_features
-- partition: specimen_id
--   role          long_square, long_square_spiking, long_square_subthreshold, subthreshold_membrane_property, rheobase,
--                 hero, vm_for_sag, short_square, short_square_spiking, short_square_common_amp, ramp or ramp_spiking
--   stim_amp_pa   amplitude of a square (pA)
--   avg_rate      spikes in the window over its length (spikes/s)
--   rank          place of the sweep in the role: by amplitude, then by number, from 0
with _measured as (
    select
        i.specimen_id,
        i.sweep_number,
        i.stimulus_class,
        i.subthreshold_min_amp_pa,
        i.n_spikes,
        i.avg_rate,
        i.stim_amp_pa,
        i.peak_deflect_v_mv
    from icephys.cell_feature_inputs as i
),
_played as (
    select
        r.specimen_id,
        r.sweep_number,
        r.stim_amp_pa,
        r.avg_rate,
        unnest(list_filter(
            [
                r.stimulus_class,
                case when r.is_spiking then r.stimulus_class || '_spiking' end,
                case when r.is_subthreshold then 'long_square_subthreshold' end,
                case when r.is_membrane then 'subthreshold_membrane_property' end,
                case when r.is_rheobase then 'rheobase' end,
                case when r.is_hero then 'hero' end,
                case when r.is_vm_for_sag then 'vm_for_sag' end,
                case when r.is_common_amp then 'short_square_common_amp' end
            ],
            lambda role: role is not null
        )) as role
    from icephys.cell_feature_roles('_measured') as r
)
select
    p.specimen_id,
    p.role,
    p.sweep_number,
    p.stim_amp_pa,
    p.avg_rate,
    row_number() over (partition by p.specimen_id, p.role order by p.stim_amp_pa, p.sweep_number) - 1 as rank
from _played as p
