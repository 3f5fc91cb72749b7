-- one sample of one channel's LFP around one event, on the samples nearest to it
-- spec: ecephys section 5
-- macro: ecephys.lfp_aligned(events, channels, before := 0.5, after := 0.5)
--   events            relation (session_id, event_time), as spikes, stimulus onsets or one's own
--   channels          relation (session_id, probe_id, channel_id), as of ecephys.lfp_channels
--   before            time before an event (s)
--   after             time after an event (s)
--   session_id        session
--   probe_id          probe
--   channel_id        channel
--   event_time        the event (s)
--   time_from_event   offset of the sample from the one nearest to the event (s)
--   lfp               local field potential; NULL where invalid (V)
with _wanted as materialized (
    from ecephys.lfp_event_samples(events, channels, before, after)
),
_channels as (
    select distinct c.session_id, c.probe_id, c.channel_id
    from query_table(channels) as c
),
_taken as (
    select
        c.session_id,
        c.probe_id,
        c.channel_id,
        w.rate,
        w.event_times,
        unnest(
            take_around(c.counts, c.scale, c.samples, w.masked, w.event_offsets, w.n_before, w.n_after)
        ) as sample
    from ecephys.lfp_chunks as c
    join _channels as k
        on k.session_id = c.session_id and k.probe_id = c.probe_id and k.channel_id = c.channel_id
    join _wanted as w on w.session_id = c.session_id and w.probe_id = c.probe_id and w.chunk = c.chunk
)
select
    session_id,
    probe_id,
    channel_id,
    event_times[sample.event + 1] as event_time,
    sample."offset" / rate as time_from_event,
    sample.value as lfp
from _taken
