-- one stimulus presentation with the animal's mean running speed during it
-- spec: ecephys EC-9
-- sdk: StimulusAnalysis.running_speed
-- macro: ecephys.presentation_running_speed(presentations)
--   presentations   relation (session_id, stimulus_presentation_id, start_time, stop_time)
--   session_id      session
--   stimulus_presentation_id   presentation
--   running_speed   mean over intervals that start within [start_time, stop_time); NULL where there are none (cm/s)
select
    presentations.session_id,
    presentations.stimulus_presentation_id,
    avg(r.speed) as running_speed
from query_table(presentations) as presentations
left join behavior.running_speed as r
    on r.session_id = presentations.session_id
    and r.timestamp >= presentations.start_time
    and r.timestamp < presentations.stop_time
group by presentations.session_id, presentations.stimulus_presentation_id
