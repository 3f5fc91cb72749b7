-- one ophys experiment of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.name, a.ingest_id) as name,
    arg_max(a.stimulus_name, a.ingest_id) as stimulus_name,
    arg_max(a.storage_directory, a.ingest_id) as storage_directory,
    arg_max(a.date_of_acquisition, a.ingest_id) as date_of_acquisition,
    arg_max(a.specimen_id, a.ingest_id) as specimen_id,
    arg_max(a.targeted_structure_id, a.ingest_id) as targeted_structure_id,
    arg_max(a.imaging_depth, a.ingest_id) as imaging_depth,
    arg_max(a.experiment_container_id, a.ingest_id) as experiment_container_id,
    arg_max(a.ophys_session_id, a.ingest_id) as ophys_session_id,
    arg_max(a.fail_eye_tracking, a.ingest_id) as fail_eye_tracking,
    arg_max(a.failed, a.ingest_id) as failed,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_ophys_experiments as a
group by a.id
