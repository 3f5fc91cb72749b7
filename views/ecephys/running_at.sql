-- one event with the animal's running speed around it
-- macro: ecephys.running_at(events, before := 0, after := 1)
--   events        relation (session_id, event_time), whose further columns come along
--   before        how far before an event, included (s)
--   after         how far after it, excluded (s)
--   speed         mean over intervals that start within [event_time - before, event_time + after); NULL where there are
--                 none (cm/s)
--   n_intervals   intervals averaged
with _events as (
    select events.*, row_number() over () as event_number
    from query_table(events) as events
),
_speeds as (
    select e.event_number, avg(r.speed) as speed, count(*) as n_intervals
    from _events as e
    join behavior.running_speed as r
        on r.session_id = e.session_id
        and r.timestamp >= e.event_time::double - before::double
        and r.timestamp < e.event_time::double + after::double
    group by e.event_number
)
select e.* exclude (event_number), s.speed, coalesce(s.n_intervals, 0) as n_intervals
from _events as e
left join _speeds as s on s.event_number = e.event_number
