-- one voxel of a grid of an experiment, from left to right: `-o density.nrrd` (.nii, .npy) makes the whole volume of them
-- spec: connectivity section 5, CON-002, CON-004, CON-023, CON-043
-- sdk: MouseConnectivityCache.get_projection_density, MouseConnectivityCache.get_injection_density, MouseConnectivityCache.get_injection_fraction, MouseConnectivityCache.get_data_mask
-- macro: connectivity.grid_volume(experiment, of_measure := 'projection_density', at_grid_um := 100)
--   experiment    experiment
--   of_measure    projection_density, projection_energy, injection_density, injection_energy, injection_fraction, data_mask
--   at_grid_um    edge of a voxel (um)
--   ml_index      index along ml, 0 left; NULL in the first row, which has the facts of the volume instead of a voxel
--   dv_index      index along dv, 0 dorsal
--   ap_index      index along ap, 0 anterior
--   voxel_value   the measure
--   background    first row: value of the voxels that are in no row
--   n_ap          first row: voxels of the whole volume along ap
--   n_dv          first row: voxels of the whole volume along dv
--   n_ml          first row: voxels of the whole volume along ml
--   grid_um       first row: edge of a voxel (um)
--   dtype         first row: type of a voxel, as numpy names it
-- No sorting and no join, either of which would hold all voxels at once: a file keeps them from left to right, and
-- DuckDB gives the rows of scans, one after the other, in the order they are stored in. Who makes a volume of them
-- looks whether they are.
select
    null::smallint as ml_index,
    null::smallint as dv_index,
    null::smallint as ap_index,
    null::float as voxel_value,
    if(of_measure = 'data_mask', 1, 0)::float as background,
    case
        when count(*) = 0 then error(
            'absent: ' || of_measure || ' of experiment ' || experiment || ' at ' || at_grid_um || ' um is not in this '
            || 'lake: `brainlake ingest experiment_' || experiment || '/' || of_measure || '_' || at_grid_um
            || '.nrrd` brings it'
        )
        else any_value(g.shape[1])
    end as n_ap,
    any_value(g.shape[2]) as n_dv,
    any_value(g.shape[3]) as n_ml,
    any_value(g.grid_um) as grid_um,
    'f4' as dtype
from connectivity.grids as g
where g.experiment_id = experiment::bigint
    and g.measure = of_measure
    and g.grid_um = at_grid_um::integer
union all
select x.ml_index, x.dv_index, x.ap_index, x.voxel_value, null, null, null, null, null, null
from connectivity.grid_voxels as x
where x.experiment_id = experiment::bigint
    and x.measure = of_measure
    and x.grid_um = at_grid_um::integer
union all
select
    m.ml_index,
    m.dv_index,
    unnest(range(m.ap_index, m.ap_index + m.n_voxels))::smallint,
    m.valid_fraction,
    null,
    null,
    null,
    null,
    null,
    null
from connectivity.data_mask_runs as m
where m.experiment_id = experiment::bigint
    and of_measure = 'data_mask'
    and m.grid_um = at_grid_um::integer
