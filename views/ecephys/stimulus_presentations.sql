-- one stimulus presentation; of one in invalid times, only when it was
-- spec: ecephys EC-3, EC-5
-- sdk: EcephysSession.stimulus_presentations
-- partition: session_id
--   session_id                  session
--   stimulus_presentation_id    0-based in order of start time, or as the file gives it
--   start_time                  onset on the master clock (s)
--   stop_time                   end on the master clock (s)
--   duration                    stop_time - start_time (s)
--   stimulus_name               stimulus; invalid_presentation where is_invalid
--   stimulus_block              run of one stimulus, in order
--   stimulus_condition_id       presentations of one session with the same name and parameters share it
--   orientation                 orientation or direction of motion (deg)
--   spatial_frequency           spatial frequency (1/deg)
--   temporal_frequency          temporal frequency (Hz)
--   contrast                    contrast (1)
--   x_position                  azimuth of the stimulus centre (deg)
--   y_position                  elevation of the stimulus centre (deg)
--   color                       luminance, -1 black to 1 white (1)
--   frame                       image or movie frame; -1 is a blank
--   phase                       phase, or a pair as text
--   size                        size in degrees, a pair as text
--   dir                         direction of dot motion (deg)
--   speed                       speed of dot motion
--   color_triplet               colour given as a list
--   parameters                  all other parameters as a JSON object, as the file spells them
--   source_table                the interval table it came from
--   is_invalid                  overlaps an invalid time tagged 'stimulus', end points included
select
    p.session_id,
    p.stimulus_presentation_id,
    p.start_time,
    p.stop_time,
    case when not p.is_invalid then p.duration end as duration,
    case when p.is_invalid then 'invalid_presentation' else p.stimulus_name end as stimulus_name,
    case when not p.is_invalid then p.stimulus_block end as stimulus_block,
    case when not p.is_invalid then p.stimulus_condition_id end as stimulus_condition_id,
    case when not p.is_invalid then p.orientation end as orientation,
    case when not p.is_invalid then p.spatial_frequency end as spatial_frequency,
    case when not p.is_invalid then p.temporal_frequency end as temporal_frequency,
    case when not p.is_invalid then p.contrast end as contrast,
    case when not p.is_invalid then p.x_position end as x_position,
    case when not p.is_invalid then p.y_position end as y_position,
    case when not p.is_invalid then p.color end as color,
    case when not p.is_invalid then p.frame end as frame,
    case when not p.is_invalid then p.phase end as phase,
    case when not p.is_invalid then p.size end as size,
    case when not p.is_invalid then p.dir end as dir,
    case when not p.is_invalid then p.speed end as speed,
    case when not p.is_invalid then p.color_triplet end as color_triplet,
    case when not p.is_invalid then p.parameters end as parameters,
    case when not p.is_invalid then p.source_table end as source_table,
    p.is_invalid
from ecephys.all_stimulus_presentations as p
