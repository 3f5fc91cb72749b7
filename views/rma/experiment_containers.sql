-- one experiment container of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.imaging_depth, a.ingest_id) as imaging_depth,
    arg_max(a.specimen_id, a.ingest_id) as specimen_id,
    arg_max(a.targeted_structure_id, a.ingest_id) as targeted_structure_id,
    arg_max(a.isi_experiment_id, a.ingest_id) as isi_experiment_id,
    arg_max(a.weight, a.ingest_id) as weight,
    arg_max(a.failed_facet, a.ingest_id) as failed_facet,
    arg_max(a.failed, a.ingest_id) as failed,
    arg_max(a.storage_directory, a.ingest_id) as storage_directory,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_experiment_containers as a
group by a.id
