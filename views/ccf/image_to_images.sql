-- one place of a pixel of a section's image in other image series, or in given images
-- spec: api E15, E16, E17, C-SY3
-- sdk: SynchronizationApi.get_image_to_image, SynchronizationApi.get_image_to_image_2d, SynchronizationApi.get_image_to_atlas
-- macro: ccf.image_to_images(section_image, at_x, at_y, data_sets := null, images := null, annotated_only := false)
--   section_image      image; raises where it, or its series, is not aligned in this lake
--   at_x               pixel from the left
--   at_y               pixel from the top
--   data_sets          one or a list of series: the image of each whose section is nearest
--   images             one or a list of images, each taken as it is, however far
--   annotated_only     only images that an atlas is drawn on
--   data_set_id        series
--   section_image_id   image
--   section_number     number of its section
--   x                  pixel from the left; may lie outside of the image
--   y                  pixel from the top
with _places as (
    select r.ap_um, r.dv_um, r.ml_um, r.reference_space_id
    from ccf.image_to_reference(section_image, at_x, at_y) as r
)
select
    i.data_set_id,
    i.section_image_id,
    i.section_number,
    i.x,
    i.y
from ccf.reference_to_images('_places', data_sets, images := images, annotated_only := annotated_only) as i
order by i.data_set_id, i.section_image_id
