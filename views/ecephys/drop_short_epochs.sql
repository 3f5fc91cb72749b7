-- one stimulus epoch that lasts as long as its stimulus asks
-- spec: ecephys EC-4, OD-2
-- sdk: EcephysSession.get_stimulus_epochs
-- macro: ecephys.drop_short_epochs(session := null, shorter_than := map {'spontaneous': 90.0})
--   session         session_id; NULL takes all
--   shorter_than    map of stimulus name to duration: its shorter epochs are left out. The reference's default,
--                   map {'spontaneous_activity': 90.0}, names no stimulus and leaves nothing out (s)
select
    e.session_id,
    e.epoch_index,
    e.start_time,
    e.stop_time,
    e.duration,
    e.stimulus_name,
    e.stimulus_block,
    e.n_presentations
from ecephys.stimulus_epochs as e
where lake.require_session(session, 'stimuli')
  and (session is null or e.session_id = session)
  and coalesce(e.duration >= shorter_than[e.stimulus_name]::double, true)
