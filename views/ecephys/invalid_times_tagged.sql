-- one interval whose data are not to be trusted, with any of the given tags
-- spec: ecephys EC-5
-- sdk: EcephysSession.get_invalid_times, EcephysSession.invalid_times
-- macro: ecephys.invalid_times_tagged(any_of, session := null)
--   any_of     one or a list of tags, compared whole: stimulus, all_probes, optotagging, a probe's name ...
--   session    session_id; NULL takes all
select
    i.session_id,
    i.invalid_time_id,
    i.start_time,
    i.stop_time,
    i.tags,
    i.scope,
    i.scope_id,
    i.label
from ecephys.invalid_times as i
where lake.require_session(session)
  and list_has_any(i.tags, lake.text_list(any_of))
  and (session is null or i.session_id = session)
