-- one point of a relation with the structure it lies in
-- spec: connectivity RSP-12, RSP-13
-- sdk: ReferenceSpace.annotation
-- macro: ccf.structures_at(points, at_resolution_um := null, of_version := null)
--   points                  relation (ap_um, dv_um, ml_um), whose further columns come along
--   at_resolution_um        edge of a voxel of the annotation (um); NULL: what is nearest to 25
--   of_version              version of the annotation; NULL: ccf_2017 before others
--   ccf_structure_id        structure; NULL outside of the brain and of the volume
--   ccf_structure_acronym   acronym of the structure
--   ccf_hemisphere_id       1 left, 2 right; NULL outside of the volume
with _volume as (
    select chosen.grid.volume_id, chosen.grid.shape, chosen.grid.spacing_um
    from (select ccf.annotation_grid(at_resolution_um := at_resolution_um, of_version := of_version) as grid) as chosen
),
_points as (
    select points.*, row_number() over () as _point
    from query_table(points) as points
),
_voxels as (
    select
        p._point,
        v.volume_id,
        floor(p.ap_um / v.spacing_um[1])::bigint as ap_index,
        floor(p.dv_um / v.spacing_um[2])::bigint as dv_index,
        floor(p.ml_um / v.spacing_um[3])::bigint as ml_index,
        case when floor(p.ml_um / v.spacing_um[3]) < round_even(v.shape[3] / 2, 0) then 1 else 2 end as hemisphere_id
    from _points as p
    cross join _volume as v
    where p.ap_um >= 0 and floor(p.ap_um / v.spacing_um[1]) < v.shape[1]
        and p.dv_um >= 0 and floor(p.dv_um / v.spacing_um[2]) < v.shape[2]
        and p.ml_um >= 0 and floor(p.ml_um / v.spacing_um[3]) < v.shape[3]
),
_by_plane as (
    select
        x.volume_id,
        x.ml_index,
        list({'p': x._point, 'dv': x.dv_index, 'ap': x.ap_index, 'hemisphere_id': x.hemisphere_id}) as voxels
    from _voxels as x
    group by x.volume_id, x.ml_index
),
_found as (
    select
        unnest(b.voxels) as voxel,
        unnest(labels_at(
            l.row_starts, l.run_starts, l.run_labels, l.plane_labels,
            list_transform(b.voxels, lambda x: x.dv), list_transform(b.voxels, lambda x: x.ap)
        )) as label
    from ccf.annotation_planes as l
    join _by_plane as b on b.volume_id = l.volume_id and b.ml_index = l.ml_index
)
select
    p.* exclude (_point),
    nullif(f.label, 0) as ccf_structure_id,
    s.acronym as ccf_structure_acronym,
    f.voxel.hemisphere_id as ccf_hemisphere_id
from _points as p
left join _found as f on f.voxel.p = p._point
left join ccf.structure_acronyms as s on s.structure_id = f.label
