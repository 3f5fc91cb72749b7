-- one voxel of the way along dense projections from a point to the centre of an experiment's injection, in order
-- spec: connectivity SRCH-03, CON-027
-- sdk: MouseConnectivityApi.experiment_spatial_search
-- macro: connectivity.search_path(seed, experiment, at_grid_um := 100)
--   seed          point: a list of its positions along ap, dv and ml (um)
--   experiment    experiment
--   at_grid_um    edge of a voxel of the grid (um)
--   path_index    place on the way, 0 the voxel of the point
--   ap_um         position of the voxel along ap: index x edge (um)
--   dv_um         the same along dv (um)
--   ml_um         the same along ml (um)
--   density       density of projections in the voxel
-- No row where the point's voxel has no projections, or none lead to the injection. The service's own search is not
-- published: its paths have the same ends, their way may differ.
with _voxels as (
    select
        list({
            'ap': x.ap_index::bigint,
            'dv': x.dv_index::bigint,
            'ml': x.ml_index::bigint,
            'density': x.voxel_value::double
        } order by x.ml_index, x.dv_index, x.ap_index) as vs
    from connectivity.grid_voxels as x
    where x.experiment_id = connectivity.require_grid(experiment, 'projection_density', at_grid_um)
        and x.measure = 'projection_density'
        and x.grid_um = at_grid_um::integer
        and x.voxel_value > 0
),
_centres as (
    select
        [c.centroid_ap_um, c.centroid_dv_um, c.centroid_ml_um] as centroid_um,
        if(c.grid_um = at_grid_um::integer, 0, 1) as preference
    from connectivity.injection_centroids as c
    where c.experiment_id = experiment::bigint
    union all
    select [l.ap_um, l.dv_um, l.ml_um] as centroid_um, 2 as preference
    from connectivity.experiments as l
    where l.experiment_id = experiment::bigint
        and l.ap_um is not null
),
_centre as (
    select coalesce(
        arg_min(c.centroid_um, c.preference),
        error(
            'absent: where experiment ' || experiment || ' was injected is not in this lake: `brainlake fetch experiments` '
            || 'brings it, as do its injection_fraction and injection_density'
        )
    ) as centroid_um
    from _centres as c
),
_path as (
    select
        v.vs,
        densest_path(
            list_transform(v.vs, lambda x: x.ap),
            list_transform(v.vs, lambda x: x.dv),
            list_transform(v.vs, lambda x: x.ml),
            list_transform(v.vs, lambda x: x.density),
            list_transform(seed, lambda x: floor(x / at_grid_um::double)::bigint),
            list_transform(c.centroid_um, lambda x: x / at_grid_um::double)
        ) as places
    from _voxels as v
    cross join _centre as c
    where v.vs is not null
),
_steps as (
    select unnest(list_transform(p.places, lambda i: p.vs[i + 1])) as voxel, unnest(range(len(p.places))) as path_index
    from _path as p
)
select
    s.path_index::int as path_index,
    s.voxel.ap * at_grid_um::double as ap_um,
    s.voxel.dv * at_grid_um::double as dv_um,
    s.voxel.ml * at_grid_um::double as ml_um,
    s.voxel.density as density
from _steps as s
order by s.path_index
