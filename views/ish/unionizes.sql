-- one structure in one image series: how much its genes are expressed there
-- spec: connectivity 3.5, 4.10
-- sdk: StructureUnionize
--   data_set_id                      image series
--   structure_id                     structure, those below counted
--   acronym                          acronym of the structure
--   gene_acronyms                    symbols of the genes, in their order
--   sum_pixels                       pixels
--   sum_expressing_pixels            pixels that express
--   sum_pixel_intensity              sum of intensities
--   sum_expressing_pixel_intensity   sum of intensities where pixels express
--   expression_density               expressing share of pixels
--   expression_energy                expressing intensity a pixel
--   expression_intensity             energy by density: expressing intensity an expressing pixel
--   voxel_energy_mean                mean of energy over voxels
--   voxel_energy_cv                  deviation of energy over voxels, divided by its mean
with shown as (
    select
        g.data_set_id,
        list(g.gene_acronym order by g.gene_acronym) as gene_acronyms
    from ish.data_set_genes as g
    group by g.data_set_id
)
select
    u.data_set_id,
    u.structure_id,
    s.acronym,
    g.gene_acronyms,
    u.sum_pixels,
    u.sum_expressing_pixels,
    u.sum_pixel_intensity,
    u.sum_expressing_pixel_intensity,
    u.expression_density,
    u.expression_energy,
    u.expression_energy / nullif(u.expression_density, 0) as expression_intensity,
    u.voxel_energy_mean,
    u.voxel_energy_cv
from ish.published_unionizes as u
left join shown as g using (data_set_id)
left join ccf.structures as s using (structure_id)
