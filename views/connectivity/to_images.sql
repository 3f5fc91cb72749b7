-- one point of the reference space with the pixel of an experiment's section images that shows it
-- spec: connectivity XFM-03, XFM-04, Q21
-- macro: connectivity.to_images(points, experiment)
--   points             relation (ap_um, dv_um, ml_um), whose further columns come along
--   experiment         experiment; raises where its alignment, or that of its images, is not in the lake
--   section_image_id   image of the section that is nearest; failed ones are left out
--   section_number     number of its section; beyond the stack's end, the last there is
--   x                  pixel from the left, at full resolution; may lie outside of the image
--   y                  pixel from the top
-- As `connectivity.to_stack`, by the deformation field too, where the lake has it: `ccf.reference_to_images` is the
-- affine way of the API's service.
with _stacked as (
    select t.*, row_number() over () as _sought
    from connectivity.to_stack(points, experiment) as t
),
_sections as (
    select i.section_image_id, i.section_number, i.tvs, s.section_thickness_um
    from ccf.section_images as i
    join ccf.image_series as s on s.data_set_id = i.data_set_id
    where i.data_set_id = experiment::bigint
        and not i.is_failed
),
_nearest as (
    select
        q._sought,
        c.section_image_id,
        c.section_number,
        c.tvs,
        row_number() over (
            partition by q._sought
            order by
                abs(c.section_number - q.stack_z_um / c.section_thickness_um), c.section_number, c.section_image_id
        ) as place
    from _stacked as q
    cross join _sections as c
)
select
    q.* exclude (_sought, stack_x_um, stack_y_um, stack_z_um),
    coalesce(
        n.section_image_id,
        error(
            'absent: the alignment of images of experiment ' || experiment || ' is not in this lake: `brainlake fetch rma '
            || '"model::SectionDataSet[id$eq' || experiment
            || '],rma::include,alignment3d,section_images(alignment2d)"` brings it'
        )
    ) as section_image_id,
    n.section_number,
    n.tvs[1] * q.stack_x_um + n.tvs[2] * q.stack_y_um + n.tvs[5] as x,
    n.tvs[3] * q.stack_x_um + n.tvs[4] * q.stack_y_um + n.tvs[6] as y
from _stacked as q
left join _nearest as n on n._sought = q._sought and n.place = 1
order by q._sought
