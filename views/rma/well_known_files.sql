-- one well known file of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.path, a.ingest_id) as path,
    arg_max(a.download_link, a.ingest_id) as download_link,
    arg_max(a.attachable_type, a.ingest_id) as attachable_type,
    arg_max(a.well_known_file_type_id, a.ingest_id) as well_known_file_type_id,
    arg_max(a.attachable_id, a.ingest_id) as attachable_id,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_well_known_files as a
group by a.id
