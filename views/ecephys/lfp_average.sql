-- one channel's mean LFP at one time from the events of a condition, with the channel's own columns
-- spec: ecephys section 5
-- macro: ecephys.lfp_average(events, channels, before := 0.5, after := 0.5)
--   events            relation (session_id, event_time), with a condition if it has one: spikes, onsets, one's own
--   channels          relation (session_id, probe_id, channel_id), whose further columns come along
--   before            how far before an event (s)
--   after             how far after it: offsets lie in [-before, after) (s)
--   condition         condition of the events; NULL where they have none
--   time_from_event   offset of the sample from the one nearest to the event (s)
--   lfp               mean; NULL where no event has a valid sample (V)
--   n_samples         samples it is the mean of
with _wanted as materialized (
    from ecephys.lfp_event_samples(events, channels, before, after)
),
_channels as (
    select distinct channels.session_id, channels.probe_id, channels.channel_id
    from query_table(channels) as channels
),
_sums as (
    select
        c.session_id,
        c.probe_id,
        c.channel_id,
        w.condition,
        w.rate,
        w.n_before,
        sum_around(c.counts, c.scale, c.samples, w.masked, w.event_offsets, w.n_before, w.n_after) as sums
    from ecephys.lfp_chunks as c
    join _channels as k
        on k.session_id = c.session_id and k.probe_id = c.probe_id and k.channel_id = c.channel_id
    join _wanted as w on w.session_id = c.session_id and w.probe_id = c.probe_id and w.chunk = c.chunk
),
_offsets as (
    select
        session_id,
        probe_id,
        channel_id,
        condition,
        rate,
        unnest(range(len(sums))) - n_before as sample_offset,
        unnest(sums) as s
    from _sums
),
_means as (
    select
        session_id,
        probe_id,
        channel_id,
        condition,
        sample_offset / any_value(rate) as time_from_event,
        case when sum(s.n) > 0 then sum(s.total) / sum(s.n) end as lfp,
        sum(s.n)::bigint as n_samples
    from _offsets
    group by session_id, probe_id, channel_id, condition, sample_offset
)
select
    channels.*,
    m.condition,
    m.time_from_event,
    m.lfp,
    m.n_samples
from query_table(channels) as channels
join _means as m
    on m.session_id = channels.session_id
   and m.probe_id = channels.probe_id
   and m.channel_id = channels.channel_id
order by channels.channel_id, m.condition, m.time_from_event
