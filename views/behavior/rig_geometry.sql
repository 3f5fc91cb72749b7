-- one axis of a session's eye tracking rig
-- spec: ecephys 2.4, EC-19
-- sdk: EcephysSession.rig_geometry_data, EcephysSession.rig_equipment_name
--   session_id          session
--   equipment           rig
--   axis                x, y or z
--   monitor_position    position of the screen (mm)
--   camera_position     position of the eye camera (mm)
--   led_position        position of the light (mm)
--   monitor_rotation    rotation of the screen about the axis (deg)
--   camera_rotation     rotation of the eye camera about the axis (deg)
select
    r.session_id,
    r.equipment,
    unnest(['x', 'y', 'z']) as axis,
    unnest(r.monitor_position) as monitor_position,
    unnest(r.camera_position) as camera_position,
    unnest(r.led_position) as led_position,
    unnest(r.monitor_rotation) as monitor_rotation,
    unnest(r.camera_rotation) as camera_rotation
from behavior.eye_tracking_rigs as r
