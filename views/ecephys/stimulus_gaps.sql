-- one pair of consecutive presentations that both belong to the named stimuli
-- spec: ecephys EC-4, F-EC-24
-- sdk: EcephysSession.get_inter_presentation_intervals_for_stimulus
-- macro: ecephys.stimulus_gaps(session, names)
--   session    session_id
--   names      one or a list of stimulus names
--   gap        onset of the later less end of the earlier; negative where they overlap (s)
select
    i.session_id,
    i.from_presentation_id,
    i.to_presentation_id,
    i.gap,
    i.from_stimulus_name,
    i.to_stimulus_name
from ecephys.inter_presentation_intervals as i
where lake.require_session(session, 'stimuli')
  and i.session_id = session
  and list_contains(lake.text_list(names), i.from_stimulus_name)
  and list_contains(lake.text_list(names), i.to_stimulus_name)
