-- one injection into the animal of an experiment, with what is told of the animal
-- spec: connectivity CON-028, api Q19
-- sdk: MouseConnectivityApi.get_manual_injection_summary, MouseConnectivityApi.get_experiment_detail
--   experiment_id           experiment
--   injection_id            injection
--   is_failed               the series failed the control of quality
--   product_ids             products that the experiment belongs to
--   structure_id            structure that was chiefly injected
--   structure_acronym       acronym of that structure
--   structure_name          name of that structure
--   registration_point      what the coordinates start from
--   ap_mm                   stereotaxic position (mm)
--   dv_mm                   the same along dv (mm)
--   ml_mm                   the same along ml (mm)
--   injection_angle         angle of the pipette (degree)
--   injection_materials     what was injected
--   days_post_injection     days from the injection to the end (d)
--   age_days                age at the injection (d)
--   sex                     sex of the animal
--   strain                  strain of the animal
--   transgenic_mouse        name of the cross that the animal is of; NULL for a wild type
--   transgenic_line_names   transgenic lines of that cross
with told as (
    select
        i.id as injection_id,
        i.specimen_id,
        coalesce(i.primary_injection_structure_id, i.structure_id) as structure_id,
        i.registration_point,
        i.coordinates_ap,
        i.coordinates_dv,
        i.coordinates_ml,
        i.angle,
        i.injection_materials,
        i.days_post_injection,
        a.days
    from rma.injections as i
    left join rma.ages as a on a.id = i.age_id
    union all
    select
        s.id,
        s.specimen_id,
        s.primary_injection_structure_id,
        null,
        first(c.coordinates_ap order by c.id),
        first(c.coordinates_dv order by c.id),
        first(c.coordinates_ml order by c.id),
        null,
        null,
        null,
        null
    from rma.stereotaxic_injections as s
    left join rma.stereotaxic_injection_coordinates as c on c.stereotaxic_injection_id = s.id
    where s.specimen_id not in (select i.specimen_id from rma.injections as i where i.specimen_id is not null)
    group by all
),
products as (
    select k.owner_id as experiment_id, list(distinct k.member_id order by k.member_id) as product_ids
    from rma.links as k
    where k.owner_model = 'DataSet' and k.member_model = 'Product'
    group by k.owner_id
),
lines as (
    select k.owner_id as transgenic_mouse_id, list(distinct l.name order by l.name) as transgenic_line_names
    from rma.links as k
    join rma.transgenic_lines as l on l.id = k.member_id
    where k.owner_model = 'TransgenicMouse' and k.member_model = 'TransgenicLine'
    group by k.owner_id
)
select
    d.id as experiment_id,
    t.injection_id,
    d.failed as is_failed,
    coalesce(p.product_ids, []) as product_ids,
    t.structure_id,
    s.acronym as structure_acronym,
    s.name as structure_name,
    t.registration_point,
    t.coordinates_ap as ap_mm,
    t.coordinates_dv as dv_mm,
    t.coordinates_ml as ml_mm,
    t.angle as injection_angle,
    t.injection_materials,
    t.days_post_injection,
    t.days as age_days,
    o.sex,
    o.strain,
    m.name as transgenic_mouse,
    coalesce(l.transgenic_line_names, []) as transgenic_line_names
from told as t
join rma.data_sets as d on d.specimen_id = t.specimen_id
left join ccf.structures as s on s.structure_id = t.structure_id
left join rma.specimens as n on n.id = t.specimen_id
left join rma.donors as o on o.id = n.donor_id
left join rma.transgenic_mice as m on m.id = o.transgenic_mouse_id
left join lines as l on l.transgenic_mouse_id = o.transgenic_mouse_id
left join products as p on p.experiment_id = d.id
