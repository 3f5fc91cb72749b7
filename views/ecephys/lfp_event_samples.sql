-- one chunk of a probe's LFP with the events around which samples of it are wanted
-- spec: ecephys section 5
-- macro: ecephys.lfp_event_samples(events, channels, before, after)
--   events         relation (session_id, event_time), with a condition if it has one
--   channels       relation (session_id, probe_id, channel_id)
--   before         time before an event (s)
--   after          time after an event (s)
--   session_id     session
--   probe_id       probe
--   chunk          chunk of samples
--   condition      condition of the events; NULL where they have none
--   rate           samples a second (Hz)
--   n_before       samples before an event
--   n_after        samples after an event: those with an offset below `after`
--   masked         invalid ranges of the chunk's samples
--   event_times    the events (s)
--   event_offsets  their nearest samples, relative to the chunk's first sample
with _probes as (
    select distinct channels.session_id, channels.probe_id
    from query_table(channels) as channels
),
_chunks as (
    select m.*
    from ecephys.lfp_masks as m
    join _probes as p on p.session_id = m.session_id and p.probe_id = m.probe_id
),
_rates as (
    select
        session_id,
        probe_id,
        -- of the whole recording: time stamps of single samples jitter
        (max(first_sample + len(timestamps)) - 1 - min(first_sample))
            / (max(timestamps[len(timestamps)]) - min(start_time)) as rate
    from _chunks
    group by session_id, probe_id
),
_events as (
    select
        events.session_id,
        events.event_time::double as event_time,
        events.condition
    from (
        select null as condition where false
        union all by name
        from query_table(events)
    ) as events
    where not isnan(events.event_time::double)
),
_placed as (
    select c.session_id, c.probe_id, c.chunk, e.event_time, e.condition
    from (
        select e.session_id, p.probe_id, e.event_time, e.condition
        from _events as e
        join _probes as p on p.session_id = e.session_id
    ) as e
    asof join _chunks as c
        on c.session_id = e.session_id and c.probe_id = e.probe_id and e.event_time >= c.start_time
),
_listed as (
    select session_id, probe_id, chunk, condition, list(event_time order by event_time) as event_times
    from _placed
    group by session_id, probe_id, chunk, condition
),
_found as (
    select
        c.session_id,
        c.probe_id,
        c.first_sample,
        l.condition,
        l.event_times,
        nearest_samples(c.timestamps, c.next_start, l.event_times) as nearest
    from _listed as l
    join _chunks as c on c.session_id = l.session_id and c.probe_id = l.probe_id and c.chunk = l.chunk
),
_samples as (
    select session_id, probe_id, condition, event_time, first_sample + offset_in_chunk as sample
    from (
        select
            session_id,
            probe_id,
            first_sample,
            condition,
            unnest(event_times) as event_time,
            unnest(nearest) as offset_in_chunk
        from _found
    )
    where offset_in_chunk >= 0
),
_wanted as (
    select
        c.session_id,
        c.probe_id,
        c.chunk,
        r.rate,
        floor(before::double * r.rate + 1e-9)::bigint as n_before,
        ceil(after::double * r.rate - 1e-9)::bigint - 1 as n_after,
        c.masked,
        s.condition,
        s.event_time,
        s.sample - c.first_sample as event_offset
    from _samples as s
    join _rates as r on r.session_id = s.session_id and r.probe_id = s.probe_id
    join _chunks as c
        on c.session_id = s.session_id
       and c.probe_id = s.probe_id
       and c.first_sample <= s.sample + after::double * r.rate
       and c.first_sample + len(c.timestamps) > s.sample - before::double * r.rate
)
select
    session_id,
    probe_id,
    chunk,
    condition,
    any_value(rate) as rate,
    any_value(n_before) as n_before,
    any_value(n_after) as n_after,
    any_value(masked) as masked,
    list(event_time order by event_time) as event_times,
    list(event_offset order by event_time) as event_offsets
from _wanted
group by session_id, probe_id, chunk, condition
