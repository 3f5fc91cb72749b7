-- one image of a section of an experiment, with the ranges of intensity that its channels are shown in
-- spec: connectivity 2.1, CON-028, P12
-- sdk: MouseConnectivityApi.get_projection_image_info, MouseConnectivityApi.get_experiment_detail
--   experiment_id          experiment
--   section_image_id       image
--   section_number         number of the section
--   image_width            pixels from left to right
--   image_height           pixels from top to bottom
--   resolution_um          edge of a pixel (um)
--   section_thickness_um   thickness of a section (um)
--   is_failed              the series failed the control of quality
--   red_channel            what the red channel shows
--   green_channel          what the green channel shows
--   blue_channel           what the blue channel shows
--   red_lower              value that is shown as no red, 0-4095; NULL where the equalization is not here
--   red_upper              value that is shown as full red
--   green_lower            value that is shown as no green
--   green_upper            value that is shown as full green
--   blue_lower             value that is shown as no blue
--   blue_upper             value that is shown as full blue
-- Series that show a gene are no experiments.
with told as (
    select
        c.experiment_id,
        c.section_image_id,
        c.section_number,
        c.image_width,
        c.image_height,
        c.resolution_um
    from connectivity.section_images as c
    union all
    select s.data_set_id, s.id, s.section_number, s.width, s.height, s.resolution
    from rma.sub_images as s
    join rma.data_sets as d on d.id = s.data_set_id
    where d.type = 'SectionDataSet'
        and s.id not in (select c.section_image_id from connectivity.section_images as c)
        and s.data_set_id not in (
            select k.owner_id
            from rma.links as k
            where k.owner_model = 'DataSet' and k.member_model in ('Gene', 'Probe')
        )
)
select
    t.experiment_id,
    t.section_image_id,
    t.section_number,
    t.image_width,
    t.image_height,
    t.resolution_um,
    d.section_thickness as section_thickness_um,
    d.failed as is_failed,
    d.red_channel,
    d.green_channel,
    d.blue_channel,
    e.red_lower,
    e.red_upper,
    e.green_lower,
    e.green_upper,
    e.blue_lower,
    e.blue_upper
from told as t
left join rma.data_sets as d on d.id = t.experiment_id
left join rma.equalizations as e on e.section_data_set_id = t.experiment_id
