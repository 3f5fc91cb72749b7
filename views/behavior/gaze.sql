-- one frame of the eye camera: where the animal looked, blinks and poor fits left out
-- spec: ecephys EC-19, OD-10
-- partition: session_id
--   session_id      session
--   timestamp       time on the session's master clock (s)
--   is_valid        neither a blink nor a poor fit; the columns below are NULL otherwise
--   eye_area        area of the eye (cm2)
--   pupil_area      area of the pupil (cm2)
--   screen_x_cm     gaze on the screen, true horizontal axis (cm)
--   screen_y_cm     gaze on the screen, true vertical axis (cm)
--   screen_x_deg    gaze angle, true horizontal axis (deg)
--   screen_y_deg    gaze angle, true vertical axis (deg)
select
    g.session_id,
    g.timestamp,
    g.filtered_pupil_area is not null and g.filtered_screen_x_cm is not null as is_valid,
    g.filtered_eye_area as eye_area,
    g.filtered_pupil_area as pupil_area,
    g.filtered_screen_x_cm as screen_x_cm,
    g.filtered_screen_y_cm as screen_y_cm,
    g.filtered_screen_x_deg as screen_x_deg,
    g.filtered_screen_y_deg as screen_y_deg
from behavior.gaze_mapping as g
