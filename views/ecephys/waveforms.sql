-- one unit's mean waveform on one channel whose data are usable
-- spec: ecephys EC-20
-- sdk: EcephysSession.mean_waveforms
-- partition: session_id
--   session_id                   session
--   unit_id                      unit
--   channel_id                   channel
--   is_peak                      the unit's peak channel
--   local_index                  index of the channel on the probe, from the tip
--   probe_vertical_position      distance of the channel from the tip along the probe (um)
--   probe_horizontal_position    distance of the channel across the probe (um)
--   structure_acronym            structure of the channel
--   sampling_rate                of the waveform's samples (Hz)
--   waveform                     mean waveform, one value a sample (uV)
select
    w.session_id,
    w.unit_id,
    w.channel_id,
    w.is_peak,
    c.local_index,
    c.probe_vertical_position,
    c.probe_horizontal_position,
    c.structure_acronym,
    coalesce(w.sampling_rate, p.sampling_rate) as sampling_rate,
    w.waveform
from ecephys.nwb_waveforms as w
join ecephys.channels as c on c.session_id = w.session_id and c.channel_id = w.channel_id
left join ecephys.probes as p on p.probe_id = c.probe_id
where coalesce(c.valid_data, true)
