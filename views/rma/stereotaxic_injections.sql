-- one stereotaxic injection of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.specimen_id, a.ingest_id) as specimen_id,
    arg_max(a.primary_injection_structure_id, a.ingest_id) as primary_injection_structure_id,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_stereotaxic_injections as a
group by a.id
