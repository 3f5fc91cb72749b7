-- one image series with its place in its reference space
-- spec: api 4.10, C-SY4
--   data_set_id            series (section data set)
--   reference_space_id     space it is aligned to: 9 and 10 the adult mouse's; NULL where that is not told
--   section_thickness_um   distance of neighbouring sections, by their numbers (um)
--   trv                    12 parameters, reference (um) to stack (um): nine row by row, three offsets
--   tvr                    12 parameters, stack (um) to reference (um)
with aligned as (
    select a.experiment_id as data_set_id, a.trv, a.tvr, 1 as place
    from connectivity.alignments as a
    union all
    select
        r.aligned_id,
        [r.trv_00, r.trv_01, r.trv_02, r.trv_03, r.trv_04, r.trv_05, r.trv_06, r.trv_07, r.trv_08,
         r.trv_09, r.trv_10, r.trv_11],
        [r.tvr_00, r.tvr_01, r.tvr_02, r.tvr_03, r.tvr_04, r.tvr_05, r.tvr_06, r.tvr_07, r.tvr_08,
         r.tvr_09, r.tvr_10, r.tvr_11],
        2
    from rma.alignment3ds as r
    where r.aligned_type = 'DataSet'
)
select
    a.data_set_id,
    coalesce(any_value(d.reference_space_id), any_value(i.reference_space_id)) as reference_space_id,
    coalesce(any_value(d.section_thickness), any_value(i.section_thickness_um)) as section_thickness_um,
    arg_min(a.trv, a.place) as trv,
    arg_min(a.tvr, a.place) as tvr
from aligned as a
left join rma.data_sets as d on d.id = a.data_set_id
left join ish.data_sets as i on i.data_set_id = a.data_set_id
group by a.data_set_id
