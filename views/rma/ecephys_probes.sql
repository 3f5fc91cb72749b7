-- one ecephys probe of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.ecephys_session_id, a.ingest_id) as ecephys_session_id,
    arg_max(a.air_channel_index, a.ingest_id) as air_channel_index,
    arg_max(a.surface_channel_index, a.ingest_id) as surface_channel_index,
    arg_max(a.name, a.ingest_id) as name,
    arg_max(a.phase, a.ingest_id) as phase,
    arg_max(a.sampling_rate, a.ingest_id) as sampling_rate,
    arg_max(a.lfp_sampling_rate, a.ingest_id) as lfp_sampling_rate,
    arg_max(a.lfp_temporal_subsampling_factor, a.ingest_id) as lfp_temporal_subsampling_factor,
    arg_max(a.use_lfp_data, a.ingest_id) as use_lfp_data,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_ecephys_probes as a
group by a.id
