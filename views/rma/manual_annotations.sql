-- one manual annotation of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.structure_id, a.ingest_id) as structure_id,
    arg_max(a.section_data_set_id, a.ingest_id) as section_data_set_id,
    arg_max(a.annotation_plan_name, a.ingest_id) as annotation_plan_name,
    arg_max(a.intensity_call, a.ingest_id) as intensity_call,
    arg_max(a.density_call, a.ingest_id) as density_call,
    arg_max(a.pattern_call, a.ingest_id) as pattern_call,
    arg_max(a.mixed_population_call, a.ingest_id) as mixed_population_call,
    arg_max(a.comment, a.ingest_id) as comment,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_manual_annotations as a
group by a.id
