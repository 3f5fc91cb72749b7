-- one sub image of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.type, a.ingest_id) as type,
    arg_max(a.path, a.ingest_id) as path,
    arg_max(a.axes, a.ingest_id) as axes,
    arg_max(a.image_type, a.ingest_id) as image_type,
    arg_max(a.expression_path, a.ingest_id) as expression_path,
    arg_max(a.projection_function, a.ingest_id) as projection_function,
    arg_max(a.x, a.ingest_id) as x,
    arg_max(a.y, a.ingest_id) as y,
    arg_max(a.width, a.ingest_id) as width,
    arg_max(a.height, a.ingest_id) as height,
    arg_max(a.section_number, a.ingest_id) as section_number,
    arg_max(a.specimen_id, a.ingest_id) as specimen_id,
    arg_max(a.data_set_id, a.ingest_id) as data_set_id,
    arg_max(a.tier_count, a.ingest_id) as tier_count,
    arg_max(a.image_width, a.ingest_id) as image_width,
    arg_max(a.image_height, a.ingest_id) as image_height,
    arg_max(a.structure_id, a.ingest_id) as structure_id,
    arg_max(a.lims1_id, a.ingest_id) as lims1_id,
    arg_max(a.bits_per_component, a.ingest_id) as bits_per_component,
    arg_max(a.number_of_components, a.ingest_id) as number_of_components,
    arg_max(a.isi_experiment_id, a.ingest_id) as isi_experiment_id,
    arg_max(a.ophys_experiment_id, a.ingest_id) as ophys_experiment_id,
    arg_max(a.resolution, a.ingest_id) as resolution,
    arg_max(a.failed, a.ingest_id) as failed,
    arg_max(a.expression, a.ingest_id) as expression,
    arg_max(a.annotated, a.ingest_id) as annotated,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_sub_images as a
group by a.id
