-- one structure with where its centre lies in an image series, by the published centres
-- spec: api E20, C-SY3
-- sdk: SynchronizationApi.get_structure_to_image
-- macro: ccf.structure_to_images(data_set, structures)
--   data_set             series
--   structures           id or list of ids; one without a published centre is left out
--   structure_id         structure
--   ap_um                centre along ap, x of the space (um)
--   dv_um                centre along dv, y of the space (um)
--   ml_um                centre along ml, z of the space (um)
--   reference_space_id   space of the centre: that of the series
--   data_set_id          series
--   section_image_id     image whose section is nearest
--   section_number       number of its section
--   x                    pixel from the left
--   y                    pixel from the top
with _centres as (
    select c.structure_id, c.x as ap_um, c.y as dv_um, c.z as ml_um, c.reference_space_id
    from rma.structure_centers as c
    join ccf.image_series as s on s.data_set_id = data_set::bigint and s.reference_space_id = c.reference_space_id
    where list_contains(lake.id_list(structures), c.structure_id)
)
select
    r.structure_id,
    r.ap_um,
    r.dv_um,
    r.ml_um,
    r.reference_space_id,
    r.data_set_id,
    r.section_image_id,
    r.section_number,
    r.x,
    r.y
from ccf.reference_to_images('_centres', [data_set::bigint]) as r
order by r.structure_id
