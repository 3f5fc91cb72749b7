-- one equalization of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.section_data_set_id, a.ingest_id) as section_data_set_id,
    arg_max(a.red_lower, a.ingest_id) as red_lower,
    arg_max(a.red_upper, a.ingest_id) as red_upper,
    arg_max(a.green_lower, a.ingest_id) as green_lower,
    arg_max(a.green_upper, a.ingest_id) as green_upper,
    arg_max(a.blue_lower, a.ingest_id) as blue_lower,
    arg_max(a.blue_upper, a.ingest_id) as blue_upper,
    arg_max(a.red_mean, a.ingest_id) as red_mean,
    arg_max(a.green_mean, a.ingest_id) as green_mean,
    arg_max(a.blue_mean, a.ingest_id) as blue_mean,
    arg_max(a.red_std_dev, a.ingest_id) as red_std_dev,
    arg_max(a.green_std_dev, a.ingest_id) as green_std_dev,
    arg_max(a.blue_std_dev, a.ingest_id) as blue_std_dev,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_equalizations as a
group by a.id
