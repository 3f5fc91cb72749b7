-- one frame of the eye camera: gaze as the reference reports it
-- spec: ecephys EC-19, OD-10, OD-33, F-EC-33
-- sdk: EcephysSession.get_screen_gaze_data
-- macro: behavior.screen_gaze(session, include_filtered := false, corrected := false)
--   session                  session_id
--   include_filtered         fill the filtered columns, which are NULL otherwise
--   corrected                true axes; the reference takes x for y and y for x: OD-10
--   raw_eye_area             area of the eye (cm2)
--   raw_pupil_area           area of the pupil (cm2)
--   raw_screen_x_cm          gaze on the screen (cm)
--   raw_screen_y_cm          gaze on the screen (cm)
--   raw_screen_x_deg         gaze angle (deg)
--   raw_screen_y_deg         gaze angle (deg)
--   filtered_eye_area        area of the eye (cm2)
--   filtered_pupil_area      area of the pupil (cm2)
--   filtered_screen_x_cm     gaze on the screen (cm)
--   filtered_screen_y_cm     gaze on the screen (cm)
--   filtered_screen_x_deg    gaze angle (deg)
--   filtered_screen_y_deg    gaze angle (deg)
select
    g.session_id,
    g.timestamp,
    g.raw_eye_area,
    g.raw_pupil_area,
    if(corrected, g.raw_screen_x_cm, g.raw_screen_y_cm) as raw_screen_x_cm,
    if(corrected, g.raw_screen_y_cm, g.raw_screen_x_cm) as raw_screen_y_cm,
    if(corrected, g.raw_screen_x_deg, g.raw_screen_y_deg) as raw_screen_x_deg,
    if(corrected, g.raw_screen_y_deg, g.raw_screen_x_deg) as raw_screen_y_deg,
    if(include_filtered, g.filtered_eye_area, null) as filtered_eye_area,
    if(include_filtered, g.filtered_pupil_area, null) as filtered_pupil_area,
    if(include_filtered, if(corrected, g.filtered_screen_x_cm, g.filtered_screen_y_cm), null) as filtered_screen_x_cm,
    if(include_filtered, if(corrected, g.filtered_screen_y_cm, g.filtered_screen_x_cm), null) as filtered_screen_y_cm,
    if(include_filtered, if(corrected, g.filtered_screen_x_deg, g.filtered_screen_y_deg), null)
        as filtered_screen_x_deg,
    if(include_filtered, if(corrected, g.filtered_screen_y_deg, g.filtered_screen_x_deg), null)
        as filtered_screen_y_deg
from behavior.gaze_mapping as g
where lake.require_session(session)
  and g.session_id = session
