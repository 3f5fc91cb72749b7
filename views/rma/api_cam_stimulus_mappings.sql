-- one api cam stimulus mapping of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.item, a.ingest_id) as item,
    arg_max(a.item_type, a.ingest_id) as item_type,
    arg_max(a.level, a.ingest_id) as level,
    arg_max(a.stimulus, a.ingest_id) as stimulus,
    arg_max(a.stimulus_name, a.ingest_id) as stimulus_name,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_api_cam_stimulus_mappings as a
group by a.id
