-- one structure in one hemisphere of an experiment, within the injection or outside of it, summed from the experiment's grids
-- spec: connectivity UNI-01 to UNI-10, UNI-12, UNI-13, CON-080 to CON-084, CON-110, Q22
-- sdk: TissuecyteUnionizer, IntervalUnionizer, InjectionUnionize, ProjectionUnionize
-- macro: connectivity.computed_unionizes(experiment, at_grid_um := 100)
--   experiment                       experiment; raises where the grids that are needed are not in the lake
--   at_grid_um                       edge of a voxel of the grids (um)
--   experiment_id                    experiment
--   structure_id                     structure, all below it included
--   structure_acronym                acronym of the structure
--   hemisphere_id                    1 left, 2 right, 3 both
--   is_injection                     within the injection; false: outside of it
--   sum_pixels                       pixels; from the grid sum_pixels, or 900 for each 10 um of a voxel that has data
--   sum_projection_pixels            pixels with signal
--   sum_pixel_intensity              intensity summed over pixels; NULL where no grid has it
--   sum_projection_pixel_intensity   intensity summed over pixels with signal; NULL where no grid has it
--   projection_density               pixels with signal / pixels
--   projection_intensity             intensity of a pixel with signal
--   projection_energy                intensity of pixels with signal / pixels
--   volume_mm3                       volume of the pixels, counted as published: 1.1025 times that of the voxels (mm3)
--   projection_volume_mm3            volume of the pixels with signal (mm3)
--   normalized_projection_volume     projection volume / volume of the injection's signal
--   max_voxel_density                highest density of a voxel
--   max_voxel_ap_um                  where that is along ap: index x edge, as published; NULL without signal (um)
--   max_voxel_dv_um                  where that is along dv (um)
--   max_voxel_ml_um                  where that is along ml (um)
-- Of equal densities the voxel that comes first counts, along ap, then dv, then ml (UNI-09).
with _grids as (
    select
        count_if(g.measure = 'sum_pixels') > 0 as has_pixels,
        count_if(g.measure = 'sum_pixel_intensities') > 0 as has_intensity,
        count_if(g.measure = 'projection_energy') > 0 as has_energy,
        900.0::double * (at_grid_um / 10.0::double) ** 3 as full_pixels
    from connectivity.grids as g
    where g.experiment_id = connectivity.require_grid(experiment, 'projection_density', at_grid_um)
        and g.experiment_id = connectivity.require_grid(experiment, 'injection_density', at_grid_um)
        and g.experiment_id = connectivity.require_grid(experiment, 'injection_fraction', at_grid_um)
        and g.grid_um = at_grid_um::integer
),
_values as (
    select
        x.ml_index,
        x.dv_index,
        x.ap_index,
        max(x.voxel_value) filter (x.measure = 'sum_pixels')::double as pixels,
        max(x.voxel_value) filter (x.measure = 'projection_density')::double as density,
        max(x.voxel_value) filter (x.measure = 'projection_energy')::double as energy,
        max(x.voxel_value) filter (x.measure = 'injection_density')::double as inner_density,
        max(x.voxel_value) filter (x.measure = 'injection_energy')::double as inner_energy,
        max(x.voxel_value) filter (x.measure = 'injection_fraction')::double as inner_fraction,
        max(x.voxel_value) filter (x.measure = 'sum_pixel_intensities')::double as intensity,
        max(x.voxel_value) filter (x.measure = 'injection_sum_pixel_intensities')::double as inner_intensity,
        max(x.voxel_value) filter (x.measure = 'aav_exclusion_fraction')::double as excluded
    from connectivity.grid_voxels as x
    where x.experiment_id = experiment::bigint
        and x.grid_um = at_grid_um::integer
    group by x.ml_index, x.dv_index, x.ap_index
),
_mask as (
    select
        m.ml_index,
        m.dv_index,
        unnest(range(m.ap_index, m.ap_index + m.n_voxels))::smallint as ap_index,
        m.valid_fraction::double as valid_fraction
    from connectivity.data_mask_runs as m
    where m.experiment_id = experiment::bigint
        and m.grid_um = at_grid_um::integer
),
_voxels as (
    select
        a.structure_id,
        a.hemisphere_id,
        (a.ap_index::bigint * 65536 + a.dv_index) * 65536 + a.ml_index as voxel,
        case when g.has_pixels then coalesce(v.pixels, 0) else g.full_pixels * coalesce(m.valid_fraction, 1) end as p,
        coalesce(v.density, 0) as d,
        coalesce(v.energy, 0) as e,
        coalesce(v.inner_density, 0) as inner_d,
        coalesce(v.inner_energy, 0) as inner_e,
        coalesce(v.inner_fraction, 0) as f,
        coalesce(v.intensity, 0) as i,
        coalesce(v.inner_intensity, 0) as inner_i,
        coalesce(v.inner_fraction, 0) <> 0 or not coalesce(v.excluded, 0) > 0 as is_counted
    from connectivity.annotated_voxels(at_grid_um := at_grid_um) as a
    cross join _grids as g
    left join _values as v on v.ml_index = a.ml_index and v.dv_index = a.dv_index and v.ap_index = a.ap_index
    left join _mask as m on m.ml_index = a.ml_index and m.dv_index = a.dv_index and m.ap_index = a.ap_index
    where coalesce(m.valid_fraction, 1) <> 0
),
_sums as (
    select
        x.structure_id,
        x.hemisphere_id,
        sum(x.p * x.f) as inner_pixels,
        sum(x.p * x.inner_d) as inner_signal,
        sum(x.p * x.inner_e) as inner_signal_intensity,
        sum(x.inner_i) as inner_intensity,
        max(x.inner_d) as inner_max,
        arg_min(x.voxel, (-x.inner_d, x.voxel)) as inner_at,
        sum(x.p) filter (x.is_counted) as pixels,
        sum(x.p * x.d) filter (x.is_counted) as signal,
        sum(x.p * x.e) filter (x.is_counted) as signal_intensity,
        sum(x.i) filter (x.is_counted) as intensity,
        max(x.d * (1 - x.f)) filter (x.is_counted) as outer_max,
        arg_min(x.voxel, (-x.d * (1 - x.f), x.voxel)) filter (x.is_counted) as outer_at
    from _voxels as x
    group by x.structure_id, x.hemisphere_id
),
_direct as (
    select
        s.structure_id,
        s.hemisphere_id,
        unnest([
            {
                'is_injection': true,
                'pixels': s.inner_pixels,
                'signal': s.inner_signal,
                'signal_intensity': s.inner_signal_intensity,
                'intensity': s.inner_intensity,
                'highest': case when s.inner_signal > 0 then s.inner_max else 0 end,
                'at': s.inner_at
            },
            {
                'is_injection': false,
                'pixels': coalesce(s.pixels, 0) - s.inner_pixels,
                'signal': coalesce(s.signal, 0) - s.inner_signal,
                'signal_intensity': coalesce(s.signal_intensity, 0) - s.inner_signal_intensity,
                'intensity': coalesce(s.intensity, 0) - s.inner_intensity,
                'highest': case when coalesce(s.signal, 0) - s.inner_signal > 0 then s.outer_max else 0 end,
                'at': s.outer_at
            }
        ]) as part
    from _sums as s
),
_injected as (
    select sum(d.part.signal) filter (d.part.is_injection) * 1.225e-9 as injected_mm3
    from _direct as d
),
_sides as (
    select d.structure_id, unnest([d.hemisphere_id, 3])::tinyint as hemisphere_id, d.part
    from _direct as d
),
_rolled as (
    select
        coalesce(
            c.ancestor_id,
            error('unknown: the annotation has structure ' || s.structure_id || ', which no ontology of this lake lists')
        ) as structure_id,
        s.hemisphere_id,
        s.part.is_injection as is_injection,
        sum(s.part.pixels) as pixels,
        sum(s.part.signal) as signal,
        sum(s.part.signal_intensity) as signal_intensity,
        sum(s.part.intensity) as intensity,
        max(s.part.highest) as highest,
        arg_min(s.part.at, (-s.part.highest, s.part.at)) filter (s.part.highest > 0) as at
    from _sides as s
    left join ccf.structure_closure as c on c.descendant_id = s.structure_id
    group by all
)
select
    experiment::bigint as experiment_id,
    r.structure_id,
    s.acronym as structure_acronym,
    r.hemisphere_id,
    r.is_injection,
    r.pixels as sum_pixels,
    r.signal as sum_projection_pixels,
    case when g.has_intensity then r.intensity end as sum_pixel_intensity,
    case when g.has_energy then r.signal_intensity end as sum_projection_pixel_intensity,
    r.signal / r.pixels as projection_density,
    case when not g.has_energy then null when r.signal > 0 then r.signal_intensity / r.signal else 0 end as projection_intensity,
    case when g.has_energy then r.signal_intensity / r.pixels end as projection_energy,
    r.pixels * 1.225e-9 as volume_mm3,
    r.signal * 1.225e-9 as projection_volume_mm3,
    case when t.injected_mm3 > 0 then r.signal * 1.225e-9 / t.injected_mm3 else 0 end as normalized_projection_volume,
    r.highest as max_voxel_density,
    (r.at // 4294967296) * at_grid_um::double as max_voxel_ap_um,
    (r.at // 65536 % 65536) * at_grid_um::double as max_voxel_dv_um,
    (r.at % 65536) * at_grid_um::double as max_voxel_ml_um
from _rolled as r
cross join _injected as t
cross join _grids as g
left join ccf.structure_acronyms as s on s.structure_id = r.structure_id
where r.pixels > 0
order by r.structure_id, r.hemisphere_id, r.is_injection
