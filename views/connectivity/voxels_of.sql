-- one voxel of a grid of an experiment that is not 0, with the structure it lies in
-- spec: connectivity section 5, CON-002, CON-023, CON-043, Q20
-- sdk: MouseConnectivityCache.get_projection_density, MouseConnectivityCache.get_injection_density, MouseConnectivityCache.get_injection_fraction
-- macro: connectivity.voxels_of(experiment, of_measure := 'projection_density', at_grid_um := 100, valid_only := false)
--   experiment       experiment
--   of_measure       projection_density, projection_energy, injection_density, injection_energy or injection_fraction
--   at_grid_um       edge of a voxel (um)
--   valid_only       true: without the voxels that the data mask gives no or not all data
--   experiment_id    experiment
--   ap_index         index along ap, 0 anterior
--   dv_index         index along dv, 0 dorsal
--   ml_index         index along ml, 0 left
--   ap_um            index x edge, as the reference measures positions (um)
--   dv_um            the same along dv (um)
--   ml_um            the same along ml (um)
--   structure_id     structure at the middle of the voxel; NULL outside of the brain
--   hemisphere_id    1 left, 2 right; NULL outside of the brain
--   valid_fraction   share of the voxel that has data
--   voxel_value      the measure
with _mask as (
    select
        m.ml_index,
        m.dv_index,
        unnest(range(m.ap_index, m.ap_index + m.n_voxels))::smallint as ap_index,
        m.valid_fraction
    from connectivity.data_mask_runs as m
    where m.experiment_id = experiment::bigint
        and m.grid_um = at_grid_um::integer
)
select
    x.experiment_id,
    x.ap_index,
    x.dv_index,
    x.ml_index,
    x.ap_index * at_grid_um::double as ap_um,
    x.dv_index * at_grid_um::double as dv_um,
    x.ml_index * at_grid_um::double as ml_um,
    a.structure_id,
    a.hemisphere_id,
    coalesce(m.valid_fraction, 1)::float as valid_fraction,
    x.voxel_value
from connectivity.grid_voxels as x
left join _mask as m on m.ml_index = x.ml_index and m.dv_index = x.dv_index and m.ap_index = x.ap_index
left join connectivity.annotated_voxels(at_grid_um := at_grid_um) as a
    on a.ml_index = x.ml_index and a.dv_index = x.dv_index and a.ap_index = x.ap_index
where x.experiment_id = connectivity.require_grid(experiment, of_measure, at_grid_um)
    and x.measure = of_measure
    and x.grid_um = at_grid_um::integer
    and (not valid_only or coalesce(m.valid_fraction, 1) = 1)
