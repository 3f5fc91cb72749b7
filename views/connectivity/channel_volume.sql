-- one block of a channel of an experiment's images on the reference space: `-o green.nrrd` (.nii, .npy) makes a file of them
-- spec: connectivity CON-021
-- sdk: MouseConnectivityApi.download_reference_aligned_image_channel_volumes
-- macro: connectivity.channel_volume(experiment, of_channel := 'green')
--   experiment     experiment; raises where its channels are not in the lake
--   of_channel     red, green or blue
--   component      0
--   ml_block       index along ml of its first voxel, divided by 16
--   ap_block       index along ap of its first voxel, divided by 16
--   dv_block       index along dv of its first voxel, divided by 16
--   voxel_bytes    its voxels, ml fastest, then dv, then ap; NULL where all voxels are 0
--   shape          voxels along ap, dv and ml of the whole volume
--   spacing_um     edges of a voxel along ap, dv and ml (um)
--   dtype          type of a voxel, as numpy names it
--   n_components   1
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
            min(c.volume_id),
            error(
                'absent: channel ' || of_channel || ' of experiment ' || experiment || ' is not in this lake: `brainlake '
                || 'ingest channels.zip --set experiment=' || experiment || '` brings it'
            )
        )
        from connectivity.channel_volumes as c
        where c.experiment_id = experiment::bigint
            and c.channel = of_channel
    )
) as v
