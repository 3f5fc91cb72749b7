-- one point of a relation with where it lies in an image series: the pixel of the section that is nearest
-- spec: api E18, C-SY1, C-SY3
-- sdk: SynchronizationApi.get_reference_to_image
-- macro: ccf.reference_to_images(points, data_sets, images := null, annotated_only := false)
--   points             relation (ap_um, dv_um, ml_um, reference_space_id), whose further columns come along
--   data_sets          one or a list of series; what is not aligned in this lake is left out; NULL: those of the images
--   images             one or a list of images: each is taken as it is, however far; NULL: the nearest of each series
--   annotated_only     only images that an atlas is drawn on
--   data_set_id        series
--   section_image_id   image
--   section_number     number of its section; beyond the stack's end, the last there is
--   x                  pixel from the left; may lie outside of the image
--   y                  pixel from the top
-- Between two reference spaces a point goes through their transform; it raises where the lake has none.
with _points as (
    select p.*, row_number() over () as _point
    from query_table(points) as p
),
_candidates as (
    select i.section_image_id, i.data_set_id, i.section_number, i.tvs
    from ccf.section_images as i
    where case
            when images is not null then list_contains(lake.id_list(images), i.section_image_id)
            else list_contains(lake.id_list(data_sets), i.data_set_id) and not i.is_failed
        end
        and (not annotated_only or i.is_annotated)
),
_series as (
    select s.data_set_id, s.reference_space_id, s.section_thickness_um, s.trv
    from ccf.image_series as s
    where s.data_set_id in (select c.data_set_id from _candidates as c)
),
_spaced as (
    select
        p._point,
        s.data_set_id,
        s.section_thickness_um,
        s.trv,
        case
            when coalesce(p.reference_space_id = s.reference_space_id, true) then [p.ap_um, p.dv_um, p.ml_um]
            when t.id is null
                then error(
                    'absent: the transform from reference space ' || p.reference_space_id || ' to '
                    || s.reference_space_id || ' is not in this lake: `brainlake fetch rma '
                    || '"model::ReferenceToReferenceTransform"` brings it'
                )
            else [
                t.t_00 * p.ap_um + t.t_01 * p.dv_um + t.t_02 * p.ml_um + t.t_09,
                t.t_03 * p.ap_um + t.t_04 * p.dv_um + t.t_05 * p.ml_um + t.t_10,
                t.t_06 * p.ap_um + t.t_07 * p.dv_um + t.t_08 * p.ml_um + t.t_11
            ]
        end as r
    from _points as p
    cross join _series as s
    left join rma.reference_to_reference_transforms as t
        on t.from_reference_space_id = p.reference_space_id and t.to_reference_space_id = s.reference_space_id
),
_stack as (
    select
        m._point,
        m.data_set_id,
        m.trv[1] * m.r[1] + m.trv[2] * m.r[2] + m.trv[3] * m.r[3] + m.trv[10] as along_rows,
        m.trv[4] * m.r[1] + m.trv[5] * m.r[2] + m.trv[6] * m.r[3] + m.trv[11] as along_columns,
        (m.trv[7] * m.r[1] + m.trv[8] * m.r[2] + m.trv[9] * m.r[3] + m.trv[12]) / m.section_thickness_um as section_at
    from _spaced as m
),
_ranked as (
    select
        v._point,
        v.along_rows,
        v.along_columns,
        c.*,
        row_number() over (
            partition by v._point, if(images is null, c.data_set_id, c.section_image_id)
            order by abs(c.section_number - v.section_at), c.section_number, c.section_image_id
        ) as place
    from _stack as v
    join _candidates as c on c.data_set_id = v.data_set_id
)
select
    p.* exclude (_point),
    n.data_set_id,
    n.section_image_id,
    n.section_number,
    n.tvs[1] * n.along_rows + n.tvs[2] * n.along_columns + n.tvs[5] as x,
    n.tvs[3] * n.along_rows + n.tvs[4] * n.along_columns + n.tvs[6] as y
from _ranked as n
join _points as p on p._point = n._point
where n.place = 1
order by p._point, n.data_set_id, n.section_image_id
