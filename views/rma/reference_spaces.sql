-- one reference space of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.name, a.ingest_id) as name,
    arg_max(a.anatomy, a.ingest_id) as anatomy,
    arg_max(a.storage_directory, a.ingest_id) as storage_directory,
    arg_max(a.organism_id, a.ingest_id) as organism_id,
    arg_max(a.age_id, a.ingest_id) as age_id,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_reference_spaces as a
group by a.id
