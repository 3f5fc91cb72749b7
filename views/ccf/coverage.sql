-- one structure's part of how a list of structures covers another: voxels missing, and voxels in excess
-- spec: connectivity RSP-06, RSP-07, Q17
-- sdk: ReferenceSpace.check_coverage, ReferenceSpace.validate_structures
-- macro: ccf.coverage(wanted, of_domain, at_resolution_um := null, of_version := null)
--   wanted             id, acronym or name, or a list of them, that should cover the domain
--   of_domain          id, acronym or name, or a list of them, that make up the domain
--   at_resolution_um   edge of a voxel of the annotation (um); NULL: what is nearest to 25
--   of_version         version of the annotation; NULL: ccf_2017 before others
--   structure_id       structure that voxels are labelled with
--   acronym            acronym
--   difference         1: in the domain and not covered; -1: covered and not in the domain
--   n_voxels           voxels
with _domain as (
    select distinct c.descendant_id as structure_id
    from ccf.find_structures(of_domain) as f
    join ccf.structure_closure as c on c.ancestor_id = f.structure_id
),
_covered as (
    select distinct c.descendant_id as structure_id
    from ccf.find_structures(wanted) as f
    join ccf.structure_closure as c on c.ancestor_id = f.structure_id
),
_grid as (
    select ccf.annotation_grid(at_resolution_um := at_resolution_um, of_version := of_version) as grid
)
select
    g.structure_id,
    s.acronym,
    case when d.structure_id is not null then 1 else -1 end as difference,
    sum(g.n_voxels)::bigint as n_voxels
from ccf.label_geometry as g
join _grid as v on v.grid.volume_id = g.volume_id
left join _domain as d on d.structure_id = g.structure_id
left join _covered as c on c.structure_id = g.structure_id
left join ccf.structures as s on s.structure_id = g.structure_id
where (d.structure_id is null) <> (c.structure_id is null)
group by g.structure_id, s.acronym, d.structure_id
