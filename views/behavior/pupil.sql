-- one frame of the eye camera: ellipses fitted to pupil, corneal reflection and eye
-- spec: ecephys EC-19, OD-34
-- sdk: EcephysSession.get_pupil_data
-- partition: session_id
--   session_id                        session
--   timestamp                         time on the session's master clock (s)
--   pupil_center_x                    centre of the pupil ellipse (px)
--   pupil_center_y                    centre of the pupil ellipse (px)
--   pupil_height                      half axis, as the reference gives it (px)
--   pupil_width                       half axis, as the reference gives it (px)
--   pupil_full_height                 whole axis (px)
--   pupil_full_width                  whole axis (px)
--   pupil_phi                         rotation (rad)
--   corneal_reflection_center_x       centre of the corneal reflection's ellipse (px)
--   corneal_reflection_center_y       centre of the corneal reflection's ellipse (px)
--   corneal_reflection_height         half axis, as the reference gives it (px)
--   corneal_reflection_width          half axis, as the reference gives it (px)
--   corneal_reflection_full_height    whole axis (px)
--   corneal_reflection_full_width     whole axis (px)
--   corneal_reflection_phi            rotation (rad)
--   eye_center_x                      centre of the eye's ellipse (px)
--   eye_center_y                      centre of the eye's ellipse (px)
--   eye_height                        half axis, as the reference gives it (px)
--   eye_width                         half axis, as the reference gives it (px)
--   eye_full_height                   whole axis (px)
--   eye_full_width                    whole axis (px)
--   eye_phi                           rotation (rad)
select
    e.session_id,
    e.timestamp,
    e.pupil_center_x,
    e.pupil_center_y,
    e.pupil_height,
    e.pupil_width,
    2 * e.pupil_height as pupil_full_height,
    2 * e.pupil_width as pupil_full_width,
    e.pupil_phi,
    e.corneal_reflection_center_x,
    e.corneal_reflection_center_y,
    e.corneal_reflection_height,
    e.corneal_reflection_width,
    2 * e.corneal_reflection_height as corneal_reflection_full_height,
    2 * e.corneal_reflection_width as corneal_reflection_full_width,
    e.corneal_reflection_phi,
    e.eye_center_x,
    e.eye_center_y,
    e.eye_height,
    e.eye_width,
    2 * e.eye_height as eye_full_height,
    2 * e.eye_width as eye_full_width,
    e.eye_phi
from behavior.eye_tracking as e
