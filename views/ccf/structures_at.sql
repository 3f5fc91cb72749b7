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
with _grid as (
    select ccf.annotation_grid(at_resolution_um := at_resolution_um, of_version := of_version) as grid
),
_found as (
    select
        points.*,
        voxel_at(
            g.grid.volume_id,
            g.grid.shape[1],
            points.ap_um / g.grid.spacing_um[1],
            points.dv_um / g.grid.spacing_um[2],
            points.ml_um / g.grid.spacing_um[3]
        ) as _voxel
    from query_table(points) as points
    cross join _grid as g
)
select
    f.* exclude (_voxel),
    nullif(f._voxel.label, 0) as ccf_structure_id,
    s.acronym as ccf_structure_acronym,
    nullif(f._voxel.hemisphere_id, 0) as ccf_hemisphere_id
from _found as f
left join ccf.structure_acronyms as s on s.structure_id = f._voxel.label
