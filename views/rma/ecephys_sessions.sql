-- one ecephys session of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.published_at, a.ingest_id) as published_at,
    arg_max(a.date_of_acquisition, a.ingest_id) as date_of_acquisition,
    arg_max(a.name, a.ingest_id) as name,
    arg_max(a.stimulus_name, a.ingest_id) as stimulus_name,
    arg_max(a.specimen_id, a.ingest_id) as specimen_id,
    arg_max(a.isi_experiment_id, a.ingest_id) as isi_experiment_id,
    arg_max(a.fail_eye_tracking, a.ingest_id) as fail_eye_tracking,
    arg_max(a.habituation, a.ingest_id) as habituation,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_ecephys_sessions as a
group by a.id
