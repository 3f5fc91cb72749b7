-- one spike of one unit during one stimulus presentation
-- spec: ecephys EC-6, OD-26, OD-42
-- sdk: EcephysSession.presentationwise_spike_times
-- macro: ecephys.presentationwise_spike_times(presentations, units, corrected := false)
--   presentations   relation (session_id, stimulus_presentation_id, start_time, stop_time)
--   units           relation (session_id, unit_id)
--   corrected       false: windows (start_time, stop_time], as the reference (OD-42); true: [start_time, stop_time)
--   session_id      session
--   stimulus_presentation_id   presentation the spike fell in
--   unit_id         unit
--   spike_time      time on the session's master clock (s)
--   time_since_stimulus_presentation_onset   spike_time - start_time (s)
with _windows as (
    select
        presentations.session_id,
        {'id': presentations.stimulus_presentation_id, 'start_time': presentations.start_time::double} as window_id,
        case when corrected then presentations.start_time::double
            else nextafter(presentations.start_time::double, 'infinity'::double) end as start_time,
        case when corrected then presentations.stop_time::double
            else nextafter(presentations.stop_time::double, 'infinity'::double) end as stop_time
    from query_table(presentations) as presentations
)
select
    s.session_id,
    s.window_id.id as stimulus_presentation_id,
    s.unit_id,
    s.spike_time,
    s.spike_time - s.window_id.start_time as time_since_stimulus_presentation_onset
from ecephys.spikes_in(units, '_windows') as s
