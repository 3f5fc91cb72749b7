-- one block of a volume that is kept in blocks: `-o volume.nrrd` (.nii, .npy) makes a file of them
-- spec: connectivity section 5, CON-004
-- macro: ccf.block_volume(volume)
--   volume         id of the volume, as in ccf.volumes; raises where it is not kept in blocks
--   component      which of a voxel's values, from 0
--   ml_block       index along ml of its first voxel, divided by 16
--   ap_block       index along ap of its first voxel, divided by 16
--   dv_block       index along dv of its first voxel, divided by 16
--   voxel_bytes    its voxels, ml fastest, then dv, then ap; 0 beyond the volume's edge; NULL where all voxels are 0
--   shape          voxels along ap, dv and ml of the whole volume
--   spacing_um     edges of a voxel along ap, dv and ml (um)
--   dtype          type of a voxel, as numpy names it
--   n_components   values a voxel
select
    coalesce(b.component, 0)::smallint as component,
    b.ml_block,
    b.ap_block,
    b.dv_block,
    b.voxel_bytes,
    v.shape,
    v.spacing_um,
    v.stored_dtype as dtype,
    v.n_components
from ccf.volumes as v
left join ccf.volume_blocks as b on b.volume_id = v.volume_id
where v.volume_id = ccf.require_blocks(volume)
order by b.component, b.ml_block, b.ap_block, b.dv_block
