-- one sample of a probe's flash-triggered current source density
-- spec: ecephys 2.7, EC-16, OD-22
-- sdk: EcephysSession.get_current_source_density
-- partition: session_id
--   session_id               session
--   probe_id                 probe
--   virtual_channel_index    index along the probe
--   horizontal_position      position across the probe (um)
--   vertical_position        position along the probe (um)
--   time_from_event          time from the flash (s)
--   csd                      current source density, the positive second derivative of the potential
--   csd_unit                 unit the file names; files and documents disagree: OD-22
select
    c.session_id,
    c.probe_id,
    c.virtual_channel_index,
    c.horizontal_position,
    c.vertical_position,
    unnest(c.timestamps) as time_from_event,
    unnest(c.csd) as csd,
    c.csd_unit
from ecephys.csd_channels as c
