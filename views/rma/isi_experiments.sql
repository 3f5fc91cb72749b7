-- one isi experiment of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.name, a.ingest_id) as name,
    arg_max(a.storage_directory, a.ingest_id) as storage_directory,
    arg_max(a.date_of_acquisition, a.ingest_id) as date_of_acquisition,
    arg_max(a.specimen_id, a.ingest_id) as specimen_id,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_isi_experiments as a
group by a.id
