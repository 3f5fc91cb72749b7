-- one voxel of a slice through an annotation
-- spec: connectivity RSP-09, P6
-- sdk: ReferenceSpace.get_slice_image
-- macro: ccf.slice(plane_name, at_um, at_resolution_um := null, of_version := null)
--   plane_name         coronal, horizontal or sagittal
--   at_um              position along the axis that it cuts; the nearest slice, as in the reference (um)
--   at_resolution_um   edge of a voxel of the annotation (um); NULL: what is nearest to 25
--   of_version         version of the annotation; NULL: ccf_2017 before others
--   ap_index           index along ap, 0 anterior
--   dv_index           index along dv, 0 dorsal
--   ml_index           index along ml, 0 left
--   structure_id       structure; NULL for background
--   acronym            acronym
--   color_hex          colour, six lower-case digits; 000000 for background, NULL for a label that no ontology lists
with _cut as (
    from ccf.slice_cut(plane_name, at_um, at_resolution_um := at_resolution_um, of_version := of_version)
),
_image as (
    select c.shape, c.slice_index, slice_labels(c.volume_id, c.shape, plane_name, c.slice_index) as labels
    from _cut as c
),
_voxels as (
    select
        i.slice_index,
        i.shape[case plane_name when 'sagittal' then 1 else 3 end]::bigint as n_columns,
        unnest(i.labels) as label,
        unnest(range(len(i.labels))) as place
    from _image as i
)
select
    case plane_name
        when 'coronal' then x.slice_index
        when 'horizontal' then x.place // x.n_columns
        else x.place % x.n_columns
    end as ap_index,
    case plane_name when 'horizontal' then x.slice_index else x.place // x.n_columns end as dv_index,
    case plane_name when 'sagittal' then x.slice_index else x.place % x.n_columns end as ml_index,
    nullif(x.label, 0) as structure_id,
    s.acronym,
    case when x.label = 0 then '000000' else s.color_hex end as color_hex
from _voxels as x
left join ccf.structures as s on s.structure_id = x.label
