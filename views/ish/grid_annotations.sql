-- one grid of expression, and the annotation that tells its voxels' structures: one of the same shape and spacing
-- spec: connectivity 3.5, 4.10
--   data_set_id   image series
--   volume_id     annotation, as in ccf.volumes; NULL where the lake has none of the grid's shape
--   shape         voxels along ap, dv and ml
--   spacing_um    edges of a voxel along ap, dv and ml (um)
select
    g.data_set_id,
    min(v.volume_id) as volume_id,
    any_value(g.shape) as shape,
    any_value(g.spacing_um) as spacing_um
from ish.grids as g
left join ccf.volumes as v on v.kind = 'annotation' and v.shape = g.shape and v.spacing_um = g.spacing_um
group by g.data_set_id
