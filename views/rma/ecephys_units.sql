-- one ecephys unit of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.ecephys_channel_id, a.ingest_id) as ecephys_channel_id,
    arg_max(a.quality, a.ingest_id) as quality,
    arg_max(a.epoch_name_quality_metrics, a.ingest_id) as epoch_name_quality_metrics,
    arg_max(a.epoch_name_waveform_metrics, a.ingest_id) as epoch_name_waveform_metrics,
    arg_max(a.snr, a.ingest_id) as snr,
    arg_max(a.firing_rate, a.ingest_id) as firing_rate,
    arg_max(a.isi_violations, a.ingest_id) as isi_violations,
    arg_max(a.presence_ratio, a.ingest_id) as presence_ratio,
    arg_max(a.amplitude_cutoff, a.ingest_id) as amplitude_cutoff,
    arg_max(a.isolation_distance, a.ingest_id) as isolation_distance,
    arg_max(a.l_ratio, a.ingest_id) as l_ratio,
    arg_max(a.d_prime, a.ingest_id) as d_prime,
    arg_max(a.nn_hit_rate, a.ingest_id) as nn_hit_rate,
    arg_max(a.nn_miss_rate, a.ingest_id) as nn_miss_rate,
    arg_max(a.silhouette_score, a.ingest_id) as silhouette_score,
    arg_max(a.max_drift, a.ingest_id) as max_drift,
    arg_max(a.cumulative_drift, a.ingest_id) as cumulative_drift,
    arg_max(a.duration, a.ingest_id) as duration,
    arg_max(a.halfwidth, a.ingest_id) as halfwidth,
    arg_max(a.PT_ratio, a.ingest_id) as PT_ratio,
    arg_max(a.repolarization_slope, a.ingest_id) as repolarization_slope,
    arg_max(a.recovery_slope, a.ingest_id) as recovery_slope,
    arg_max(a.amplitude, a.ingest_id) as amplitude,
    arg_max(a.spread, a.ingest_id) as spread,
    arg_max(a.velocity_above, a.ingest_id) as velocity_above,
    arg_max(a.velocity_below, a.ingest_id) as velocity_below,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_ecephys_units as a
group by a.id
