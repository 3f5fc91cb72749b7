-- one experiment's centre of injection, from its grids of one resolution
-- spec: connectivity EXP-07, CON-022, Q19
-- sdk: MouseConnectivityApi.calculate_injection_centroid
-- partition: experiment_id
--   experiment_id       experiment
--   grid_um             edge of a voxel (um)
--   centroid_ap_um      mean of index x edge along ap over injected voxels, weighted by density x fraction (um)
--   centroid_dv_um      the same along dv (um)
--   centroid_ml_um      the same along ml (um)
--   injection_weight    sum of the weights, in voxels
with weighted as (
    select
        f.experiment_id,
        f.grid_um,
        f.ap_index,
        f.dv_index,
        f.ml_index,
        f.voxel_value::double * d.voxel_value::double as weight
    from connectivity.grid_voxels as f
    join connectivity.grid_voxels as d
        on d.experiment_id = f.experiment_id
        and d.grid_um = f.grid_um
        and d.ap_index = f.ap_index
        and d.dv_index = f.dv_index
        and d.ml_index = f.ml_index
    where f.measure = 'injection_fraction'
        and d.measure = 'injection_density'
)
select
    w.experiment_id,
    w.grid_um,
    w.grid_um * sum(w.weight * w.ap_index) / sum(w.weight) as centroid_ap_um,
    w.grid_um * sum(w.weight * w.dv_index) / sum(w.weight) as centroid_dv_um,
    w.grid_um * sum(w.weight * w.ml_index) / sum(w.weight) as centroid_ml_um,
    sum(w.weight) as injection_weight
from weighted as w
group by w.experiment_id, w.grid_um
having sum(w.weight) > 0
