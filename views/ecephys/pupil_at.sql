-- one event with the animal's pupil around it
-- spec: ecephys EC-19
-- macro: ecephys.pupil_at(events, before := 0, after := 1)
--   events       relation (session_id, event_time), whose further columns come along
--   before       how far before an event, included (s)
--   after        how far after it, excluded (s)
--   pupil_area   mean area of a circle on the pupil's longer half axis, over frames within
--                [event_time - before, event_time + after); NULL where no pupil was seen (px2)
--   n_frames     frames averaged
with _events as (
    select events.*, row_number() over () as event_number
    from query_table(events) as events
),
_areas as (
    select
        e.event_number,
        avg(pi() * greatest(f.pupil_height, f.pupil_width) ** 2) as pupil_area,
        count(coalesce(f.pupil_height, f.pupil_width)) as n_frames
    from _events as e
    join behavior.eye_tracking as f
        on f.session_id = e.session_id
        and f.timestamp >= e.event_time::double - before::double
        and f.timestamp < e.event_time::double + after::double
    group by e.event_number
)
select e.* exclude (event_number), a.pupil_area, coalesce(a.n_frames, 0) as n_frames
from _events as e
left join _areas as a on a.event_number = e.event_number
