-- one data set of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.name, a.ingest_id) as name,
    arg_max(a.type, a.ingest_id) as type,
    arg_max(a.storage_directory, a.ingest_id) as storage_directory,
    arg_max(a.red_channel, a.ingest_id) as red_channel,
    arg_max(a.green_channel, a.ingest_id) as green_channel,
    arg_max(a.blue_channel, a.ingest_id) as blue_channel,
    arg_max(a.specimen_id, a.ingest_id) as specimen_id,
    arg_max(a.plane_of_section_id, a.ingest_id) as plane_of_section_id,
    arg_max(a.failed_facet, a.ingest_id) as failed_facet,
    arg_max(a.reference_space_id, a.ingest_id) as reference_space_id,
    arg_max(a.weight, a.ingest_id) as weight,
    arg_max(a.sphinx_id, a.ingest_id) as sphinx_id,
    arg_max(a.rnaseq_design_id, a.ingest_id) as rnaseq_design_id,
    arg_max(a.section_thickness, a.ingest_id) as section_thickness,
    arg_max(a.qc_date, a.ingest_id) as qc_date,
    arg_max(a.failed, a.ingest_id) as failed,
    arg_max(a.expression, a.ingest_id) as expression,
    arg_max(a.delegate, a.ingest_id) as delegate,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_data_sets as a
group by a.id
