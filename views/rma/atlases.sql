-- one atlas of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.name, a.ingest_id) as name,
    arg_max(a.image_type, a.ingest_id) as image_type,
    arg_max(a.xyz_sort, a.ingest_id) as xyz_sort,
    arg_max(a.structure_graph_id, a.ingest_id) as structure_graph_id,
    arg_max(a.specimen_id, a.ingest_id) as specimen_id,
    arg_max(a.treatment_id, a.ingest_id) as treatment_id,
    arg_max(a.graphic_group_label_id, a.ingest_id) as graphic_group_label_id,
    arg_max(a.reference_space_id, a.ingest_id) as reference_space_id,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_atlases as a
group by a.id
