-- one block of a template, or of another volume of grey values: `-o template.nrrd` (.nii, .npy) makes a file of them
-- spec: connectivity section 5, CON-004, CON-021, CON-060
-- sdk: ReferenceSpaceCache.get_template_volume
-- macro: ccf.grey_volume(of_kind := 'template', at_resolution_um := null, volume := null)
--   of_kind            template, nissl or grey
--   at_resolution_um   edge of a voxel (um); NULL: what is nearest to 25
--   volume             id of the volume, of any kind that is kept in blocks; NULL: as the others say
--   component          which of a voxel's values, from 0
--   ml_block           index along ml of its first voxel, divided by 16
--   ap_block           index along ap of its first voxel, divided by 16
--   dv_block           index along dv of its first voxel, divided by 16
--   voxel_bytes        its voxels, ml fastest, then dv, then ap; 0 beyond the volume's edge; NULL where all voxels are 0
--   shape              voxels along ap, dv and ml of the whole volume
--   spacing_um         edges of a voxel along ap, dv and ml (um)
--   dtype              type of a voxel, as numpy names it
--   n_components       values a voxel
with _volume as (
    select v.volume_id, v.shape, v.spacing_um, v.stored_dtype, v.n_components
    from ccf.volumes as v
    where v.volume_id = case
        when volume is null then ccf.grey_grid(of_kind, at_resolution_um := at_resolution_um).volume_id
        else ccf.require_blocks(volume)
    end
)
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
from _volume as v
left join ccf.volume_blocks as b on b.volume_id = v.volume_id
order by b.component, b.ml_block, b.ap_block, b.dv_block
