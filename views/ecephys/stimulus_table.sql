-- one presentation of the named stimuli in a session
-- spec: ecephys EC-3, F-EC-20
-- sdk: EcephysSession.get_stimulus_table
-- macro: ecephys.stimulus_table(session, names := null, detailed := false)
--   session                     session_id
--   names                       one or a list of stimulus names; NULL takes all
--   detailed                    fill color_triplet and parameters, which are NULL otherwise
--   duration                    stop_time - start_time (s)
select
    p.session_id,
    p.stimulus_presentation_id,
    p.start_time,
    p.stop_time,
    p.duration,
    p.stimulus_name,
    p.stimulus_block,
    p.stimulus_condition_id,
    p.orientation,
    p.spatial_frequency,
    p.temporal_frequency,
    p.contrast,
    p.x_position,
    p.y_position,
    p.color,
    p.frame,
    p.phase,
    p.size,
    p.dir,
    p.speed,
    case when detailed then p.color_triplet end as color_triplet,
    case when detailed then p.parameters end as parameters
from ecephys.stimulus_presentations as p
where lake.require_session(session, 'stimuli')
  and p.session_id = session
  and (names is null or list_contains(lake.text_list(names), p.stimulus_name))
