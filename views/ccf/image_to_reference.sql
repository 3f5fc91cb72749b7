-- the place of one pixel of a section's image in the reference space of its series
-- spec: api E19, C-SY2
-- sdk: SynchronizationApi.get_image_to_reference
-- macro: ccf.image_to_reference(section_image, at_x, at_y)
--   section_image        image; raises where it, or its series, is not aligned in this lake
--   at_x                 pixel from the left
--   at_y                 pixel from the top
--   section_image_id     the image
--   data_set_id          series it belongs to
--   reference_space_id   space of the place
--   ap_um                place along ap, x of the space (um)
--   dv_um                place along dv, y of the space (um)
--   ml_um                place along ml, z of the space (um)
with _image as (
    select
        case
            when count(*) = 0
                then error(
                    'absent: the alignment of image ' || section_image || ' is not in this lake: `brainlake fetch rma '
                    || '"model::SectionDataSet[id$eqID],rma::include,alignment3d,section_images(alignment2d)"` brings '
                    || 'that of a series'
                )
            else any_value({
                'id': i.section_image_id,
                'data_set': i.data_set_id,
                'space': s.reference_space_id,
                'across': i.section_number * s.section_thickness_um,
                'tsv': i.tsv,
                'tvr': s.tvr
            })
        end as told
    from ccf.section_images as i
    join ccf.image_series as s on s.data_set_id = i.data_set_id
    where i.section_image_id = section_image::bigint
),
_stack as (
    select
        i.told,
        i.told.tsv[1] * at_x::double + i.told.tsv[2] * at_y::double + i.told.tsv[5] as along_rows,
        i.told.tsv[3] * at_x::double + i.told.tsv[4] * at_y::double + i.told.tsv[6] as along_columns
    from _image as i
)
select
    v.told.id as section_image_id,
    v.told.data_set as data_set_id,
    v.told.space as reference_space_id,
    v.told.tvr[1] * v.along_rows + v.told.tvr[2] * v.along_columns + v.told.tvr[3] * v.told.across + v.told.tvr[10] as ap_um,
    v.told.tvr[4] * v.along_rows + v.told.tvr[5] * v.along_columns + v.told.tvr[6] * v.told.across + v.told.tvr[11] as dv_um,
    v.told.tvr[7] * v.along_rows + v.told.tvr[8] * v.along_columns + v.told.tvr[9] * v.told.across + v.told.tvr[12] as ml_um
from _stack as v
