-- one experiment with a grid, and how many voxels of given structures its projections reach
-- spec: connectivity SRCH-02, CON-026
-- sdk: MouseConnectivityApi.experiment_target_search
-- macro: connectivity.target_voxels(targets, target_hemisphere := 3, at_grid_um := 100)
--   targets             id or acronym, or a list of them; one that is part of another counts with it
--   target_hemisphere   1 left, 2 right, 3 both
--   at_grid_um          edge of a voxel of the grids (um)
--   experiment_id       experiment
--   n_target_voxels     voxels of the targets with a density of projections above 0, the injection's own among them
--   n_voxels            voxels of the targets
with _domain as (
    select distinct a.ml_index, a.dv_index, a.ap_index
    from connectivity.annotated_voxels(at_grid_um := at_grid_um) as a
    join ccf.structure_closure as c on c.descendant_id = a.structure_id
    join ccf.find_structures(targets) as t on t.structure_id = c.ancestor_id
    where target_hemisphere::integer = 3 or a.hemisphere_id = target_hemisphere::integer
),
_reached as (
    select x.experiment_id, count(*) as n_target_voxels
    from connectivity.grid_voxels as x
    join _domain as d on d.ml_index = x.ml_index and d.dv_index = x.dv_index and d.ap_index = x.ap_index
    where x.measure = 'projection_density'
        and x.grid_um = at_grid_um::integer
        and x.voxel_value > 0
    group by x.experiment_id
)
select
    g.experiment_id,
    coalesce(r.n_target_voxels, 0)::bigint as n_target_voxels,
    (select count(*) from _domain as d)::bigint as n_voxels
from connectivity.grids as g
left join _reached as r on r.experiment_id = g.experiment_id
where g.measure = 'projection_density'
    and g.grid_um = at_grid_um::integer
