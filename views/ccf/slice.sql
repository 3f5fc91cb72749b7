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
_rows as (
    select
        p.ml_index,
        c.shape,
        c.slice_index,
        labels_of_slice(
            p.row_starts, p.run_starts, p.run_labels, p.plane_labels, plane_name, c.slice_index, c.shape[1]::bigint
        ) as labels
    from ccf.annotation_planes as p
    join _cut as c on c.volume_id = p.volume_id
    where plane_name <> 'sagittal' or p.ml_index = c.slice_index
),
_voxels as (
    select
        r.ml_index,
        r.shape,
        r.slice_index,
        unnest(r.labels) as label,
        unnest(range(len(r.labels))) as place
    from _rows as r
)
select
    case plane_name
        when 'coronal' then x.slice_index
        when 'horizontal' then x.place
        else x.place % x.shape[1]
    end as ap_index,
    case plane_name
        when 'coronal' then x.place
        when 'horizontal' then x.slice_index
        else x.place // x.shape[1]
    end as dv_index,
    x.ml_index,
    nullif(x.label, 0) as structure_id,
    s.acronym,
    case when x.label = 0 then '000000' else s.color_hex end as color_hex
from _voxels as x
left join ccf.structures as s on s.structure_id = x.label
