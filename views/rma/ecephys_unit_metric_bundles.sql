-- one ecephys unit metric bundle of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.ecephys_unit_id, a.ingest_id) as ecephys_unit_id,
    arg_max(a.data, a.ingest_id) as data,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_ecephys_unit_metric_bundles as a
group by a.id
