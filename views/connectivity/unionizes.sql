-- one structure in one hemisphere of one experiment, within the injection or outside of it
-- spec: connectivity 3.4, UNI-10, CON-001, CON-029, CON-041, EXP-09
-- sdk: MouseConnectivityCache.get_experiment_structure_unionizes, MouseConnectivityCache.get_structure_unionizes, MouseConnectivityApi.get_structure_unionizes
--   experiment_id                    experiment
--   structure_id                     structure, all below it included: never sum nested structures
--   structure_acronym                acronym of the structure
--   hemisphere_id                    1 left, 2 right, 3 both: never sum 1, 2 and 3
--   is_injection                     within the injection; false: outside of it
--   sum_pixels                       pixels
--   sum_projection_pixels            pixels with signal
--   sum_pixel_intensity              intensity summed over pixels
--   sum_projection_pixel_intensity   intensity summed over pixels with signal
--   projection_density               pixels with signal / pixels
--   projection_intensity             intensity of a pixel with signal
--   projection_energy                intensity of pixels with signal / pixels
--   volume_mm3                       volume of the pixels, as published: 1.1025 times that of the voxels (mm3)
--   projection_volume_mm3            volume of the pixels with signal, as published (mm3)
--   normalized_projection_volume     projection volume / volume of the injection's signal
--   max_voxel_density                highest density of a voxel
--   max_voxel_ap_um                  where that is along ap; NULL where there is no signal (um)
--   max_voxel_dv_um                  where that is along dv; NULL where there is no signal (um)
--   max_voxel_ml_um                  where that is along ml; NULL where there is no signal (um)
--   voxels_10um                      voxels of 10 um with data: pixels / 900, what the warehouse counted a voxel as
--   volume_ccf_mm3                   volume of those voxels (mm3)
select
    u.experiment_id,
    u.structure_id,
    s.acronym as structure_acronym,
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
    case when u.max_voxel_density > 0 then u.max_voxel_ap_um end as max_voxel_ap_um,
    case when u.max_voxel_density > 0 then u.max_voxel_dv_um end as max_voxel_dv_um,
    case when u.max_voxel_density > 0 then u.max_voxel_ml_um end as max_voxel_ml_um,
    u.sum_pixels / 900.0::double as voxels_10um,
    u.sum_pixels / 900.0::double * 1e-6 as volume_ccf_mm3
from connectivity.published_unionizes as u
left join ccf.structures as s on s.structure_id = u.structure_id
