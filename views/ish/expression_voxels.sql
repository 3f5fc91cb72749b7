-- one voxel of a grid of expression that has a value, with its structure
-- spec: connectivity 3.5, 4.10, CON-013
-- sdk: GridDataApi.download_gene_expression_grid_data, MouseAtlasApi.download_expression_density, MouseAtlasApi.download_expression_energy, MouseAtlasApi.download_expression_intensity
--   data_set_id    image series
--   ap_index       index along ap, 0 anterior
--   dv_index       index along dv, 0 dorsal
--   ml_index       index along ml
--   ap_um          index x edge of a voxel (um)
--   dv_um          index x edge of a voxel (um)
--   ml_um          index x edge of a voxel; of sagittal series, in space 10, from the right (um)
--   structure_id   finest structure there; NULL outside of the annotation, or where the lake has none of the grid's shape
--   energy         expression energy; NULL where there is no data
--   density        expression density; NULL where there is no data
--   intensity      intensity of what expresses; NULL where there is no data
select
    e.data_set_id,
    e.ap_index,
    e.dv_index,
    e.ml_index,
    e.ap_index * g.spacing_um[1] as ap_um,
    e.dv_index * g.spacing_um[2] as dv_um,
    e.ml_index * g.spacing_um[3] as ml_um,
    r.structure_id,
    e.energy,
    e.density,
    e.intensity
from ish.grid_voxels as e
join ish.grid_annotations as g using (data_set_id)
left join ccf.annotation_runs as r
    on r.volume_id = g.volume_id
    and r.ml_index = e.ml_index
    and r.dv_index = e.dv_index
    and e.ap_index between r.ap_index and r.ap_index + r.n_voxels - 1
