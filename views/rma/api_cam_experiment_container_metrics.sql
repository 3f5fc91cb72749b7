-- one container of the Brain Observatory, with its summaries, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
-- sdk: BrainObservatoryApi.get_experiment_container_metrics
select
    a.experiment_container_id,
    arg_max(a.id, a.ingest_id) as id,
    arg_max(a.specimen_id, a.ingest_id) as specimen_id,
    arg_max(a.tld1_id, a.ingest_id) as tld1_id,
    arg_max(a.tld2_id, a.ingest_id) as tld2_id,
    arg_max(a.tlr1_id, a.ingest_id) as tlr1_id,
    arg_max(a.imaging_depth, a.ingest_id) as imaging_depth,
    arg_max(a.area, a.ingest_id) as area,
    arg_max(a.tld1_name, a.ingest_id) as tld1_name,
    arg_max(a.tld2_name, a.ingest_id) as tld2_name,
    arg_max(a.tlr1_name, a.ingest_id) as tlr1_name,
    arg_max(a.donor_full_genotype, a.ingest_id) as donor_full_genotype,
    arg_max(a.failed_experiment_container, a.ingest_id) as failed_experiment_container,
    arg_max(a.mean_running_speed_a, a.ingest_id) as mean_running_speed_a,
    arg_max(a.mean_running_speed_b, a.ingest_id) as mean_running_speed_b,
    arg_max(a.mean_running_speed_c, a.ingest_id) as mean_running_speed_c,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_api_cam_experiment_container_metrics as a
group by a.experiment_container_id
