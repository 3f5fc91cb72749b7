-- one unionize that all given filters let through
-- spec: connectivity EXP-04, CON-029, CON-041, Q3
-- sdk: MouseConnectivityCache.filter_structure_unionizes, MouseConnectivityCache.get_structure_unionizes
-- macro: connectivity.find_unionizes(experiments := null, wanted := null, include_descendants := false, hemispheres := null, injected := null, above := null)
--   experiments                      experiment or a list of them, each of which must have unionizes in the lake; NULL: all
--   wanted                           id, acronym or name of structures, or a list of them; raises for one that nobody knows; NULL: all
--   include_descendants              true: what is part of those structures, too
--   hemispheres                      one or a list of hemispheres: 1 left, 2 right, 3 both; NULL: all
--   injected                         true: within the injection; false: outside of it; NULL: either
--   above                            the normalized projection volume is more than this; NULL: any
--   experiment_id                    experiment
--   structure_id                     structure
--   structure_acronym                acronym of the structure
--   hemisphere_id                    1 left, 2 right, 3 both
--   is_injection                     within the injection; false: outside of it
--   sum_pixels                       pixels
--   sum_projection_pixels            pixels with signal
--   sum_pixel_intensity              intensity summed over pixels
--   sum_projection_pixel_intensity   intensity summed over pixels with signal
--   projection_density               pixels with signal / pixels
--   projection_intensity             intensity of a pixel with signal
--   projection_energy                intensity of pixels with signal / pixels
--   volume_mm3                       volume of the pixels (mm3)
--   projection_volume_mm3            volume of the pixels with signal (mm3)
--   normalized_projection_volume     projection volume / volume of the injection's signal
--   max_voxel_density                highest density of a voxel
--   max_voxel_ap_um                  where that is along ap (um)
--   max_voxel_dv_um                  where that is along dv (um)
--   max_voxel_ml_um                  where that is along ml (um)
with _wanted as (
    select distinct c.descendant_id
    from ccf.find_structures(wanted) as f
    join ccf.structure_closure as c on c.ancestor_id = f.structure_id
    where include_descendants or c.steps = 0
)
select
    u.experiment_id,
    u.structure_id,
    u.structure_acronym,
    u.hemisphere_id,
    u.is_injection,
    u.sum_pixels,
    u.sum_projection_pixels,
    u.sum_pixel_intensity,
    u.sum_projection_pixel_intensity,
    u.projection_density,
    u.projection_intensity,
    u.projection_energy,
    u.volume_mm3,
    u.projection_volume_mm3,
    u.normalized_projection_volume,
    u.max_voxel_density,
    u.max_voxel_ap_um,
    u.max_voxel_dv_um,
    u.max_voxel_ml_um
from connectivity.unionizes as u
where (experiments is null or list_contains(lake.id_list(experiments), u.experiment_id))
    and (wanted is null or u.structure_id in (select w.descendant_id from _wanted as w))
    and (hemispheres is null or list_contains(lake.id_list(hemispheres), u.hemisphere_id))
    and (injected is null or u.is_injection = injected)
    and (above is null or u.normalized_projection_volume > above::double)
union all by name
-- no row: raises where an experiment has no unionizes. As a condition above it would not be asked where statistics of the
-- files rule the experiment out
select null::bigint as experiment_id
from (select connectivity.require_unionizes(experiments) as is_here) as g
where not g.is_here
