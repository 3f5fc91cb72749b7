-- one block of the deformation field of an experiment: `-o deformation.nrrd` (.nii, .npy) makes a file of all three components
-- spec: connectivity XFM-02, CON-044
-- sdk: MouseConnectivityCache.get_deformation_field
-- macro: connectivity.deformation_volume(experiment)
--   experiment     experiment; raises where its field is not in the lake
--   component      displacement along ap (0), dv (1) or ml (2)
--   ml_block       index along ml of its first voxel, divided by 16
--   ap_block       index along ap of its first voxel, divided by 16
--   dv_block       index along dv of its first voxel, divided by 16
--   voxel_bytes    displacements of its voxels (um), ml fastest, then dv, then ap; NULL where all are 0
--   shape          voxels along ap, dv and ml of the whole field
--   spacing_um     edges of a voxel along ap, dv and ml (um)
--   dtype          type of a voxel, as numpy names it
--   n_components   values a voxel
select
    v.component,
    v.ml_block,
    v.ap_block,
    v.dv_block,
    v.voxel_bytes,
    v.shape,
    v.spacing_um,
    v.dtype,
    v.n_components
from ccf.block_volume(
    (
        select coalesce(
            min(f.volume_id),
            error(
                'absent: the deformation field of experiment ' || experiment || ' is not in this lake: `brainlake ingest '
                || 'dfmfld.mhd --set experiment=' || experiment || '` brings it'
            )
        )
        from connectivity.deformation_fields as f
        where f.experiment_id = experiment::bigint
    )
) as v
