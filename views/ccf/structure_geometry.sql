-- one structure in one hemisphere of one annotation, or in both: how large it is, and where; zero where it has no voxel
-- spec: connectivity RSP-01, RSP-02, RSP-03, RSP-14, Q14
-- sdk: ReferenceSpace.total_voxel_counts, ReferenceSpace.total_voxel_map, ReferenceSpace.remove_unassigned
-- kept: for look-ups of sizes and places, which questions of every domain make
--   volume_id         volume
--   version           version of the annotation
--   resolution_um     edge of a voxel (um)
--   structure_id      structure
--   acronym           acronym
--   hemisphere_id     1 left, 2 right, 3 both
--   direct_voxels     voxels labelled with this very structure
--   total_voxels      voxels of it and of all structures below
--   volume_mm3        volume of those (mm3)
--   centroid_ap_um    mean of index x edge over them, as the reference measures positions; NULL without a voxel (um)
--   centroid_dv_um    the same along dv (um)
--   centroid_ml_um    the same along ml (um)
--   first_index       lowest index along ap, dv and ml
--   last_index        highest index along ap, dv and ml
with sides as (
    select
        g.volume_id,
        g.structure_id,
        unnest([g.hemisphere_id, 3]) as hemisphere_id,
        g.n_voxels,
        g.ap_index_sum,
        g.dv_index_sum,
        g.ml_index_sum,
        g.first_index,
        g.last_index
    from ccf.label_geometry as g
),
totals as (
    select
        g.volume_id,
        c.ancestor_id as structure_id,
        g.hemisphere_id,
        sum(g.n_voxels) filter (c.steps = 0) as direct_voxels,
        sum(g.n_voxels) as total_voxels,
        sum(g.ap_index_sum) as ap_sum,
        sum(g.dv_index_sum) as dv_sum,
        sum(g.ml_index_sum) as ml_sum,
        [min(g.first_index[1]), min(g.first_index[2]), min(g.first_index[3])] as first_index,
        [max(g.last_index[1]), max(g.last_index[2]), max(g.last_index[3])] as last_index
    from sides as g
    join ccf.structure_closure as c on c.descendant_id = g.structure_id
    group by g.volume_id, c.ancestor_id, g.hemisphere_id
),
grids as (
    select
        v.volume_id,
        v.version,
        v.resolution_um,
        v.spacing_um,
        unnest([1, 2, 3]) as hemisphere_id
    from ccf.volumes as v
    where v.kind = 'annotation'
)
select
    v.volume_id,
    v.version,
    v.resolution_um,
    s.structure_id,
    s.acronym,
    v.hemisphere_id,
    coalesce(t.direct_voxels, 0)::bigint as direct_voxels,
    coalesce(t.total_voxels, 0)::bigint as total_voxels,
    coalesce(t.total_voxels, 0)::double * v.spacing_um[1] * v.spacing_um[2] * v.spacing_um[3] / 1e9 as volume_mm3,
    t.ap_sum::double / t.total_voxels::double * v.spacing_um[1] as centroid_ap_um,
    t.dv_sum::double / t.total_voxels::double * v.spacing_um[2] as centroid_dv_um,
    t.ml_sum::double / t.total_voxels::double * v.spacing_um[3] as centroid_ml_um,
    t.first_index,
    t.last_index
from grids as v
cross join ccf.structures as s
left join totals as t
    on t.volume_id = v.volume_id
    and t.structure_id = s.structure_id
    and t.hemisphere_id = v.hemisphere_id
where s.graph_id = 1
