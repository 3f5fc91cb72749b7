-- one sample of a trace around one event, with the trace's own columns
-- macro: ecephys.aligned_trace(samples, events, before := 0.5, after := 0.5)
--   samples           relation (session_id, timestamp), whose further columns come along: 'behavior.running_speed'
--   events            relation (session_id, event_time), with a condition if it has one
--   before            how far before an event, included (s)
--   after             how far after it, excluded (s)
--   condition         condition of the event; NULL where events have none
--   event_time        time of the event (s)
--   time_from_event   timestamp - event_time, in [-before, after) (s)
with _events as (
    select
        events.session_id,
        events.event_time::double as event_time,
        events.condition
    from (
        select null as condition where false
        union all by name
        from query_table(events)
    ) as events
)
select
    samples.*,
    e.condition,
    e.event_time,
    samples.timestamp - e.event_time as time_from_event
from query_table(samples) as samples
join _events as e
    on e.session_id = samples.session_id
    and samples.timestamp >= e.event_time - before::double
    and samples.timestamp < e.event_time + after::double
