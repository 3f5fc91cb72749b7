-- one structure in one image series, from its voxels: mean and spread of what is known, structures below counted
-- spec: connectivity 4.10
-- sdk: StructureUnionize.voxel_energy_mean, StructureUnionize.voxel_energy_cv
--   data_set_id         image series
--   structure_id        structure
--   n_voxels            voxels with energy
--   voxel_energy_mean   mean of energy over voxels
--   voxel_energy_cv     deviation of energy over voxels (of all, not of a sample), divided by its mean
--   voxel_density_mean  mean of density over voxels
select
    e.data_set_id,
    c.ancestor_id as structure_id,
    count(e.energy) as n_voxels,
    avg(e.energy::double) as voxel_energy_mean,
    stddev_pop(e.energy::double) / nullif(avg(e.energy::double), 0) as voxel_energy_cv,
    avg(e.density::double) as voxel_density_mean
from ish.expression_voxels as e
join ccf.structure_closure as c on c.descendant_id = e.structure_id
group by e.data_set_id, c.ancestor_id
