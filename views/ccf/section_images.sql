-- one image of a section that is aligned to the stack of its series
-- spec: api 4.10
--   section_image_id   image
--   data_set_id        series it belongs to
--   section_number     number of the section
--   is_failed          it failed the control of quality
--   is_annotated       an atlas is drawn on it
--   tsv                6 parameters, image (pixel) to stack (um): four row by row, two offsets
--   tvs                6 parameters, stack (um) to image (pixel)
with told as (
    select
        c.section_image_id,
        c.experiment_id as data_set_id,
        c.section_number,
        (c.extra ->> '$.failed')::boolean as is_failed,
        (c.extra ->> '$.annotated')::boolean as is_annotated,
        c.tsv,
        c.tvs,
        1 as place
    from connectivity.section_images as c
    where len(c.tvs) = 6
    union all
    select
        s.id,
        s.data_set_id,
        s.section_number,
        s.failed,
        s.annotated,
        [a.tsv_00, a.tsv_01, a.tsv_02, a.tsv_03, a.tsv_04, a.tsv_05],
        [a.tvs_00, a.tvs_01, a.tvs_02, a.tvs_03, a.tvs_04, a.tvs_05],
        2
    from rma.sub_images as s
    join rma.alignment2ds as a on a.section_image_id = s.id
)
select
    t.section_image_id,
    arg_min(t.data_set_id, t.place) as data_set_id,
    arg_min(t.section_number, t.place) as section_number,
    coalesce(arg_min(t.is_failed, t.place), false) as is_failed,
    coalesce(arg_min(t.is_annotated, t.place), false) as is_annotated,
    arg_min(t.tsv, t.place) as tsv,
    arg_min(t.tvs, t.place) as tvs
from told as t
group by t.section_image_id
