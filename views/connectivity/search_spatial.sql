-- one experiment whose signal reaches a point, the densest first
-- spec: connectivity SRCH-03, CON-027, Q7
-- sdk: MouseConnectivityApi.experiment_spatial_search
-- macro: connectivity.search_spatial(seed, min_density := 0.1, injection := null, lines := null, at_grid_um := 100, start_row := 0, num_rows := 2000)
--   seed                   point: a list of its positions along ap, dv and ml (um)
--   min_density            the voxel has at least this density of projections
--   injection              id or acronym of injected structures, or a list of them; NULL: anywhere
--   lines                  one or a list of names of transgenic lines, 0 for wild types; NULL: all
--   at_grid_um             edge of a voxel of the grids that are searched (um)
--   start_row              so many are left out
--   num_rows               so many at most
--   experiment_id          experiment
--   transgenic_line        transgenic line; NULL for a wild type
--   structure_id           structure that was chiefly injected
--   structure_acronym      acronym of that structure
--   injection_volume_mm3   volume that was injected (mm3)
--   density                density of projections in the voxel of the point
select
    x.experiment_id,
    e.transgenic_line,
    e.structure_id,
    e.structure_acronym,
    e.injection_volume_mm3,
    x.voxel_value as density
from connectivity.grid_voxels as x
join connectivity.find_experiments(injection := injection) as e on e.experiment_id = x.experiment_id
where x.measure = 'projection_density'
    and x.grid_um = at_grid_um::integer
    and x.ap_index = floor(seed[1] / at_grid_um::double)::smallint
    and x.dv_index = floor(seed[2] / at_grid_um::double)::smallint
    and x.ml_index = floor(seed[3] / at_grid_um::double)::smallint
    and x.voxel_value >= min_density::float
    and connectivity.line_matches(e.transgenic_line, lines)
order by density desc, x.experiment_id
limit num_rows offset start_row
