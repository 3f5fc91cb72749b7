-- one stimulus presentation whose bins reach into those of the next one of its session: spikes there count for both
-- spec: ecephys EC-7
-- macro: ecephys.overlapping_presentations(presentations, bin_edges)
--   presentations   relation (session_id, stimulus_presentation_id, start_time)
--   bin_edges       list of bin edges from the onset, as of ecephys.presentationwise_spike_counts (s)
--   session_id      session
--   stimulus_presentation_id        presentation
--   next_stimulus_presentation_id   the next one, in the order of onsets
--   overlap         from the first bin's start of the next one to the last bin's end of this one (s)
with _ordered as (
    select
        presentations.session_id,
        presentations.stimulus_presentation_id,
        presentations.start_time::double + list_max(bin_edges)::double as stop_time,
        lead(presentations.stimulus_presentation_id) over _following as next_stimulus_presentation_id,
        lead(presentations.start_time::double) over _following + list_min(bin_edges)::double as next_start_time
    from query_table(presentations) as presentations
    window _following as (partition by presentations.session_id order by presentations.start_time)
)
select
    session_id,
    stimulus_presentation_id,
    next_stimulus_presentation_id,
    stop_time - next_start_time as overlap
from _ordered
where next_start_time < stop_time
