-- one image of a section with the ranges of intensity that its series is shown in
-- spec: api 4.11, C-IMG, D-26
-- sdk: ImageDownloadApi.get_section_image_ranges
--   section_image_id      image
--   section_data_set_id   series it belongs to
--   ranges                lowest and highest value of red, green and blue, 0-4095, as the address of an image takes them
with images as (
    select i.id as section_image_id, i.data_set_id
    from rma.sub_images as i
    union
    select c.section_image_id, c.experiment_id
    from connectivity.section_images as c
)
select
    i.section_image_id,
    e.section_data_set_id,
    [e.red_lower, e.red_upper, e.green_lower, e.green_upper, e.blue_lower, e.blue_upper] as ranges
from images as i
join rma.equalizations as e on e.section_data_set_id = i.data_set_id
