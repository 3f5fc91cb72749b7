-- one channel's mean LFP at one time from the events (event-triggered average), over the samples nearest to them
-- spec: ecephys section 5
-- macro: ecephys.lfp_average(events, channels, before := 0.5, after := 0.5)
--   events            relation (session_id, event_time), as spikes, stimulus onsets or one's own
--   channels          relation (session_id, probe_id, channel_id), as of ecephys.lfp_channels
--   before            time before an event (s)
--   after             time after an event (s)
--   session_id        session
--   probe_id          probe
--   channel_id        channel
--   time_from_event   offset of the sample from the one nearest to the event (s)
--   lfp               mean; NULL where no event has a valid sample (V)
--   n_samples         samples it is the mean of
with _wanted as materialized (
    from ecephys.lfp_event_samples(events, channels, before, after)
),
_channels as (
    select distinct c.session_id, c.probe_id, c.channel_id
    from query_table(channels) as c
),
_sums as (
    select
        c.session_id,
        c.probe_id,
        c.channel_id,
        w.rate,
        w.n_before,
        sum_around(c.counts, c.scale, c.samples, w.masked, w.event_offsets, w.n_before, w.n_after) as sums
    from ecephys.lfp_chunks as c
    join _channels as k
        on k.session_id = c.session_id and k.probe_id = c.probe_id and k.channel_id = c.channel_id
    join _wanted as w on w.session_id = c.session_id and w.probe_id = c.probe_id and w.chunk = c.chunk
),
_offsets as (
    select session_id, probe_id, channel_id, rate, unnest(range(len(sums))) - n_before as sample_offset, unnest(sums) as s
    from _sums
)
select
    session_id,
    probe_id,
    channel_id,
    sample_offset / any_value(rate) as time_from_event,
    case when sum(s.n) > 0 then sum(s.total) / sum(s.n) end as lfp,
    sum(s.n)::bigint as n_samples
from _offsets
group by session_id, probe_id, channel_id, sample_offset
order by session_id, probe_id, channel_id, sample_offset
