-- one api column definition of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.api_class_name, a.ingest_id) as api_class_name,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_api_column_definitions as a
group by a.id
