-- one ephys result of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.specimen_id, a.ingest_id) as specimen_id,
    arg_max(a.failed, a.ingest_id) as failed,
    arg_max(a.sampling_rate, a.ingest_id) as sampling_rate,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_ephys_results as a
group by a.id
