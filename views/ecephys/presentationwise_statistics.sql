-- one stimulus presentation of one unit with its spikes, and the running speed meanwhile; zeros too
-- spec: ecephys EC-9, OD-14
-- sdk: StimulusAnalysis.presentationwise_statistics
-- macro: ecephys.presentationwise_statistics(presentations, units, duration)
--   presentations   relation (session_id, stimulus_presentation_id, stimulus_condition_id, start_time, stop_time)
--   units           relation (session_id, unit_id)
--   duration        spikes in [start_time, start_time + duration] are counted; the reference's are 2 for drifting
--                   gratings, 1 for dot motion, 0.25 for static gratings, images, flashes and gabors (s)
--   session_id      session
--   stimulus_presentation_id   presentation
--   unit_id         unit
--   stimulus_condition_id      condition of the presentation
--   spike_counts    spikes
--   running_speed   mean running speed during the presentation; NULL where it was not measured (cm/s)
with _windows as (
    select
        presentations.session_id,
        {
            'id': presentations.stimulus_presentation_id,
            'condition': presentations.stimulus_condition_id
        } as window_id,
        presentations.start_time::double as start_time,
        nextafter(presentations.start_time::double + duration::double, 'infinity'::double) as stop_time
    from query_table(presentations) as presentations
)
select
    n.session_id,
    n.window_id.id as stimulus_presentation_id,
    n.unit_id,
    n.window_id.condition as stimulus_condition_id,
    n.spike_count as spike_counts,
    r.running_speed
from ecephys.spike_counts(units, '_windows') as n
left join ecephys.presentation_running_speed(presentations) as r
    on r.session_id = n.session_id and r.stimulus_presentation_id = n.window_id.id
