-- one sagittal plane of an annotation as bytes, from left to right: `-o annotation.nrrd` (.nii, .npy) makes a file of them
-- spec: connectivity section 5, CON-004, CON-060
-- sdk: ReferenceSpaceCache.get_annotation_volume, ReferenceSpace.annotation
-- macro: ccf.annotation_volume(at_resolution_um := null, of_version := null)
--   at_resolution_um   edge of a voxel of the annotation (um); NULL: what is nearest to 25
--   of_version         version of the annotation; NULL: ccf_2017 before others
--   ml_index           index along ml, 0 left
--   shape              voxels along ap, dv and ml of the whole volume
--   spacing_um         edges of a voxel along ap, dv and ml (um)
--   dtype              type of a voxel, as numpy names it
--   plane_bytes        voxels of the plane, ap fastest, then dv
with _grid as (
    select chosen.grid.volume_id, chosen.grid.shape, chosen.grid.spacing_um
    from (select ccf.annotation_grid(at_resolution_um := at_resolution_um, of_version := of_version) as grid) as chosen
)
select
    p.ml_index,
    g.shape,
    g.spacing_um,
    'u4' as dtype,
    plane_voxels(
        p.row_starts, p.run_starts, p.run_labels, p.plane_labels, g.shape[1]::bigint,
        []::bigint[], []::bigint[], []::bigint[], []::bigint[], 'u4'
    ) as plane_bytes
from ccf.annotation_planes as p
join _grid as g on g.volume_id = p.volume_id
order by p.ml_index
