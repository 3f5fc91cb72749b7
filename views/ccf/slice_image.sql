-- a slice through an annotation as one image, its voxels in a list: what pictures and arrays are made of
-- spec: connectivity RSP-09
-- sdk: ReferenceSpace.get_slice_image
-- macro: ccf.slice_image(plane_name, at_um, at_resolution_um := null, of_version := null)
--   plane_name         coronal, horizontal or sagittal
--   at_um              position along the axis that it cuts; the nearest slice, as in the reference (um)
--   at_resolution_um   edge of a voxel of the annotation (um); NULL: what is nearest to 25
--   of_version         version of the annotation; NULL: ccf_2017 before others
--   plane              coronal, horizontal or sagittal, as asked for
--   slice_index        index of the slice along that axis
--   n_rows             rows of the image: coronal and sagittal along dv, horizontal along ap
--   n_columns          columns of the image: coronal and horizontal along ml, sagittal along ap
--   spacing_um         edge of a voxel (um)
--   structure_ids      structure of each voxel, row by row; 0 for background
--   palette            structures that the annotation has: structure_id, acronym and rgb
with _cut as (
    from ccf.slice_cut(plane_name, at_um, at_resolution_um := at_resolution_um, of_version := of_version)
)
select
    plane_name as plane,
    c.slice_index,
    case plane_name when 'horizontal' then c.shape[1] else c.shape[2] end as n_rows,
    case plane_name when 'sagittal' then c.shape[1] else c.shape[3] end as n_columns,
    c.spacing_um[1] as spacing_um,
    slice_labels(c.volume_id, c.shape, plane_name, c.slice_index) as structure_ids,
    p.palette
from _cut as c
left join ccf.annotation_palettes as p on p.volume_id = c.volume_id
