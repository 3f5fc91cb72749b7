-- one block of a template, or of another volume of grey values: `-o template.nrrd` (.nii, .npy) makes a file of them
-- spec: connectivity section 5, CON-004, CON-060
-- sdk: ReferenceSpaceCache.get_template_volume
-- macro: ccf.grey_volume(of_kind := 'template', at_resolution_um := null)
--   of_kind            template, nissl or grey
--   at_resolution_um   edge of a voxel (um); NULL: what is nearest to 25
--   component          which of a voxel's values, from 0
--   ml_block           index along ml of its first voxel, divided by 16
--   ap_block           index along ap of its first voxel, divided by 16
--   dv_block           index along dv of its first voxel, divided by 16
--   voxel_bytes        its voxels, ml fastest, then dv, then ap; 0 beyond the volume's edge; NULL where all voxels are 0
--   shape              voxels along ap, dv and ml of the whole volume
--   spacing_um         edges of a voxel along ap, dv and ml (um)
--   dtype              type of a voxel, as numpy names it
--   n_components       values a voxel
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
from ccf.block_volume(ccf.grey_grid(of_kind, at_resolution_um := at_resolution_um).volume_id) as v
