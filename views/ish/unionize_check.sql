-- one structure in one image series whose sums are known: published ratios beside those of its own sums
-- spec: connectivity 4.10
--   data_set_id         image series
--   structure_id        structure
--   density_difference  published density less expressing pixels by pixels, as a share of it; 0 where both are 0
--   energy_difference   published energy less expressing intensity by pixels, as a share of it; 0 where both are 0
--   is_consistent       both are within 1e-5
with computed as (
    select
        u.data_set_id,
        u.structure_id,
        u.expression_density,
        u.expression_energy,
        u.sum_expressing_pixels / nullif(u.sum_pixels, 0) as density,
        u.sum_expressing_pixel_intensity / nullif(u.sum_pixels, 0) as energy
    from ish.published_unionizes as u
    where u.sum_pixels > 0
),
compared as (
    select
        c.data_set_id,
        c.structure_id,
        coalesce((c.expression_density - c.density) / nullif(greatest(abs(c.density), abs(c.expression_density)), 0), 0)
            as density_difference,
        coalesce((c.expression_energy - c.energy) / nullif(greatest(abs(c.energy), abs(c.expression_energy)), 0), 0)
            as energy_difference
    from computed as c
)
select
    c.data_set_id,
    c.structure_id,
    c.density_difference,
    c.energy_difference,
    abs(c.density_difference) <= 1e-5 and abs(c.energy_difference) <= 1e-5 as is_consistent
from compared as c
