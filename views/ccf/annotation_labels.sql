-- one label of an annotation with the structure it stands for
-- spec: connectivity RSP-01, 3.2
-- sdk: ReferenceSpace.direct_voxel_counts, ReferenceSpace.direct_voxel_map
--   volume_id       volume
--   version         version of the annotation
--   resolution_um   edge of a voxel (um)
--   structure_id    label
--   acronym         acronym of the structure; NULL where no ontology of the lake lists it
--   is_listed       an ontology of the lake lists it
--   n_voxels        voxels with this very label, structures below not counted
with direct as (
    select g.volume_id, g.structure_id, sum(g.n_voxels)::bigint as n_voxels
    from ccf.label_geometry as g
    group by g.volume_id, g.structure_id
)
select
    d.volume_id,
    v.version,
    v.resolution_um,
    d.structure_id,
    s.acronym,
    s.structure_id is not null as is_listed,
    d.n_voxels
from direct as d
join ccf.volumes as v on v.volume_id = d.volume_id and v.kind = 'annotation'
left join ccf.structures as s on s.structure_id = d.structure_id
