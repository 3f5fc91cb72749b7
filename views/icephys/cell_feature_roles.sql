-- one long square, short square or ramp of one cell, with the roles it plays among the cell's sweeps
-- spec: cell_types 4.5.3
-- macro: icephys.cell_feature_roles(measured, subthreshold_min_amp := null)
--   measured                          relation as icephys.cell_feature_inputs or icephys.measure_cell_sweeps give it
--   subthreshold_min_amp              membrane properties come from amplitudes above it; by default as the relation
--                                     tells (pA)
--   is_spiking                        spikes in its window
--   is_subthreshold                   a long square without spikes
--   is_membrane                       a subthreshold long square with an amplitude below 0 and above the bound
--   is_rheobase                       the spiking long square of least amplitude, the first of equals
--   is_hero                           the least spiking long square between 39 and 61 pA above rheobase, the first of
--                                     equals
--   is_common_amp                     a spiking short square of the most frequent amplitude, the lowest of equals
--   is_vm_for_sag                     the subthreshold long square that goes nearest to -100 mV, the first of equals
with _marked as (
    select
        m.*,
        m.stimulus_class = 'long_square' as is_long,
        coalesce(m.avg_rate > 0, false) as is_spiking,
        m.stimulus_class = 'long_square' and coalesce(m.avg_rate = 0, false) as is_subthreshold
    from query_table(measured) as m
),
_counted as (
    select
        m.*,
        min(case when m.is_long and m.is_spiking then m.stim_amp_pa end) over (partition by m.specimen_id)
            as rheobase_pa,
        m.is_subthreshold
            and coalesce(m.stim_amp_pa < 0, false)
            and coalesce(
                m.stim_amp_pa > coalesce(subthreshold_min_amp::double, m.subthreshold_min_amp_pa, -100.0::double), false
            ) as is_membrane,
        count(*) over (partition by m.specimen_id, m.stimulus_class, m.is_spiking, m.stim_amp_pa) as n_of_amplitude
    from _marked as m
),
_ranked as (
    select
        c.*,
        row_number() over (
            partition by c.specimen_id, c.stimulus_class, c.is_spiking order by c.stim_amp_pa, c.sweep_number
        ) as amplitude_rank,
        c.is_long
            and c.is_spiking
            and c.n_spikes >= 1
            and c.stim_amp_pa > c.rheobase_pa + 39
            and c.stim_amp_pa < c.rheobase_pa + 61 as is_heroic,
        first_value(c.stim_amp_pa) over (
            partition by c.specimen_id, c.stimulus_class, c.is_spiking order by c.n_of_amplitude desc, c.stim_amp_pa
        ) as common_amplitude_pa,
        row_number() over (
            partition by c.specimen_id, c.is_subthreshold order by abs(c.peak_deflect_v_mv + 100), c.sweep_number
        ) as deflection_rank
    from _counted as c
)
select
    r.* exclude (is_long, rheobase_pa, n_of_amplitude, amplitude_rank, is_heroic, common_amplitude_pa, deflection_rank),
    r.is_long and r.is_spiking and r.amplitude_rank = 1 as is_rheobase,
    coalesce(r.is_heroic, false)
        and row_number() over (partition by r.specimen_id, r.is_heroic order by r.stim_amp_pa, r.sweep_number) = 1
        as is_hero,
    r.stimulus_class = 'short_square' and r.is_spiking and r.stim_amp_pa = r.common_amplitude_pa as is_common_amp,
    r.is_subthreshold and r.deflection_rank = 1 as is_vm_for_sag
from _ranked as r
