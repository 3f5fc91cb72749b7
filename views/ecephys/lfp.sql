-- one sample of one channel's local field potential; NULL in times that are not to be trusted
-- spec: ecephys EC-5
-- sdk: EcephysSession.get_lfp
-- partition: session_id
--   session_id   session
--   probe_id     probe
--   channel_id   channel
--   chunk        chunk of 65,536 samples; a filter on it lets files be skipped within
--   timestamp    time on the session's master clock (s)
--   lfp          local field potential; NULL where invalid (V)
--   raw_lfp      the same, as recorded, also where invalid (V)
with samples as (
    select
        c.session_id,
        c.probe_id,
        c.channel_id,
        c.chunk,
        c.scale,
        m.masked,
        unnest(range(len(m.timestamps))) as sample_index,
        unnest(m.timestamps) as timestamp,
        unnest(c.counts) as sample_count,
        unnest(c.samples) as sample
    from ecephys.lfp_chunks as c
    join ecephys.lfp_masks as m
        on m.session_id = c.session_id and m.probe_id = c.probe_id and m.chunk = c.chunk
),
volts as (
    select
        session_id,
        probe_id,
        channel_id,
        chunk,
        timestamp,
        coalesce((sample_count * scale)::float, sample) as raw_lfp,
        len(masked) > 0
        and len(list_filter(
            range(1, len(masked), 2),
            lambda i: sample_index >= masked[i] and sample_index < masked[i + 1]
        )) > 0 as is_masked
    from samples
)
select
    session_id,
    probe_id,
    channel_id,
    chunk,
    timestamp,
    case when is_masked then null else raw_lfp end as lfp,
    raw_lfp
from volts
