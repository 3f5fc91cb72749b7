-- one spike of one unit around one event, with the unit's own columns
-- macro: ecephys.aligned_spikes(units, events, before := 0.5, after := 0.5)
--   units             relation (session_id, unit_id), whose further columns come along
--   events            relation (session_id, event_time), with a condition if it has one
--   before            how far before an event, included (s)
--   after             how far after it, excluded (s)
--   condition         condition of the event; NULL where events have none
--   trial             number of the event within its session, from 1, in the order of condition and time
--   event_time        time of the event (s)
--   spike_time        time of the spike (s)
--   time_from_event   spike_time - event_time, in [-before, after) (s)
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
),
_windows as (
    select
        session_id,
        {
            'event_time': event_time,
            'condition': condition,
            'trial': row_number() over (partition by session_id order by condition, event_time)
        } as window_id,
        event_time - before::double as start_time,
        event_time + after::double as stop_time
    from _events
)
select
    u.*,
    s.window_id.condition as condition,
    s.window_id.trial as trial,
    s.window_id.event_time as event_time,
    s.spike_time,
    s.spike_time - s.window_id.event_time as time_from_event
from ecephys.spikes_in(units, '_windows') as s
join query_table(units) as u on u.session_id = s.session_id and u.unit_id = s.unit_id
