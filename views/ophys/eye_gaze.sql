-- one frame of the eye camera of one experiment of the Brain Observatory: areas of eye and pupil, and gaze on the screen
-- spec: api C-BO7, ophys 2.8
-- sdk: BrainObservatoryCache.get_ophys_pupil_data
-- The reference gives nothing of this unless suppress_pupil_data is False, as it deems the method not validated.
-- macro: ophys.eye_gaze(experiment)
--   experiment   experiment; its session is in ophys.experiment_sessions
select
    g.session_id as ophys_session_id,
    g.timestamp,
    g.raw_eye_area,
    g.raw_pupil_area,
    g.raw_screen_x_cm,
    g.raw_screen_y_cm,
    g.raw_screen_x_deg,
    g.raw_screen_y_deg,
    g.filtered_eye_area,
    g.filtered_pupil_area,
    g.filtered_screen_x_cm,
    g.filtered_screen_y_cm,
    g.filtered_screen_x_deg,
    g.filtered_screen_y_deg
from behavior.gaze_mapping as g
where g.session_id = (
    select
        coalesce(
            any_value(s.ophys_session_id),
            error('unknown: the session of experiment ' || experiment || ' is not known: ophys.experiment_sessions lists them')
        )
    from ophys.experiment_sessions as s
    where s.ophys_experiment_id = experiment
)
order by g.timestamp
