-- one graphic group label of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.name, a.ingest_id) as name,
    arg_max(a.color, a.ingest_id) as color,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_graphic_group_labels as a
group by a.id
