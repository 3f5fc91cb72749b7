-- one injection of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.specimen_id, a.ingest_id) as specimen_id,
    arg_max(a.structure_id, a.ingest_id) as structure_id,
    arg_max(a.age_id, a.ingest_id) as age_id,
    arg_max(a.days_post_injection, a.ingest_id) as days_post_injection,
    arg_max(a.primary_injection_structure_id, a.ingest_id) as primary_injection_structure_id,
    arg_max(a.targeted_injection_structure_id, a.ingest_id) as targeted_injection_structure_id,
    arg_max(a.registration_point, a.ingest_id) as registration_point,
    arg_max(a.injection_method, a.ingest_id) as injection_method,
    arg_max(a.injection_materials, a.ingest_id) as injection_materials,
    arg_max(a.injection_quality, a.ingest_id) as injection_quality,
    arg_max(a.fluor_colors, a.ingest_id) as fluor_colors,
    arg_max(a.coordinates_ap, a.ingest_id) as coordinates_ap,
    arg_max(a.coordinates_ml, a.ingest_id) as coordinates_ml,
    arg_max(a.coordinates_dv, a.ingest_id) as coordinates_dv,
    arg_max(a.angle, a.ingest_id) as angle,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_injections as a
group by a.id
