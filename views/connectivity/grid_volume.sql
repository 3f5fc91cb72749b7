-- one voxel of a grid of an experiment, from left to right: `-o density.nrrd` (.nii, .npy) makes the whole volume of them
-- spec: connectivity section 5, CON-002, CON-004, CON-023, CON-043
-- sdk: MouseConnectivityCache.get_projection_density, MouseConnectivityCache.get_injection_density, MouseConnectivityCache.get_injection_fraction, MouseConnectivityCache.get_data_mask
-- macro: connectivity.grid_volume(experiment, of_measure := 'projection_density', at_grid_um := 100)
--   experiment    experiment
--   of_measure    projection_density, projection_energy, injection_density, injection_energy, injection_fraction, data_mask
--   at_grid_um    edge of a voxel (um)
--   ml_index      index along ml, 0 left; NULL, in one row, where every voxel is background
--   dv_index      index along dv, 0 dorsal
--   ap_index      index along ap, 0 anterior
--   voxel_value   the measure
--   background    value of the voxels that are in no row
--   n_ap          voxels of the whole volume along ap
--   n_dv          voxels of the whole volume along dv
--   n_ml          voxels of the whole volume along ml
--   grid_um       edge of a voxel (um)
--   dtype         type of a voxel, as numpy names it
-- Millions of rows: numbers instead of lists, which would cost more than the voxels.
with _grid as (
    select g.experiment_id, g.measure, g.grid_um, g.shape
    from connectivity.grids as g
    where g.experiment_id = connectivity.require_grid(experiment, of_measure, at_grid_um)
        and g.measure = of_measure
        and g.grid_um = at_grid_um::integer
),
_voxels as (
    select x.ml_index, x.dv_index, x.ap_index, x.voxel_value
    from connectivity.grid_voxels as x
    where x.experiment_id = experiment::bigint
        and x.measure = of_measure
        and x.grid_um = at_grid_um::integer
    union all
    select
        m.ml_index,
        m.dv_index,
        unnest(range(m.ap_index, m.ap_index + m.n_voxels))::smallint as ap_index,
        m.valid_fraction as voxel_value
    from connectivity.data_mask_runs as m
    where m.experiment_id = experiment::bigint
        and of_measure = 'data_mask'
        and m.grid_um = at_grid_um::integer
)
select
    x.ml_index,
    x.dv_index,
    x.ap_index,
    x.voxel_value,
    if(of_measure = 'data_mask', 1, 0)::float as background,
    g.shape[1] as n_ap,
    g.shape[2] as n_dv,
    g.shape[3] as n_ml,
    g.grid_um,
    'f4' as dtype
from _grid as g
left join _voxels as x on true
order by x.ml_index
