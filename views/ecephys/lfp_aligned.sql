-- one sample of one channel's LFP around one event, on the samples nearest to it, with the channel's own columns
-- spec: ecephys section 5
-- macro: ecephys.lfp_aligned(events, channels, before := 0.5, after := 0.5)
--   events            relation (session_id, event_time), with a condition if it has one: spikes, onsets, one's own
--   channels          relation (session_id, probe_id, channel_id), whose further columns come along
--   before            how far before an event (s)
--   after             how far after it: offsets lie in [-before, after) (s)
--   condition         condition of the event; NULL where there is none
--   event_time        the event (s)
--   time_from_event   offset of the sample from the one nearest to the event (s)
--   lfp               local field potential; NULL where invalid (V)
with _wanted as materialized (
    from ecephys.lfp_event_samples(events, channels, before, after)
),
_channels as (
    select distinct channels.session_id, channels.probe_id, channels.channel_id
    from query_table(channels) as channels
),
_taken as (
    select
        c.session_id,
        c.probe_id,
        c.channel_id,
        w.condition,
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
    channels.*,
    t.condition,
    t.event_times[t.sample.event + 1] as event_time,
    t.sample."offset" / t.rate as time_from_event,
    t.sample.value as lfp
from query_table(channels) as channels
join _taken as t
    on t.session_id = channels.session_id
   and t.probe_id = channels.probe_id
   and t.channel_id = channels.channel_id
