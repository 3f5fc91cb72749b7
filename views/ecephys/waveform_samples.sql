-- one sample of a unit's mean waveform on one channel whose data are usable
-- spec: ecephys EC-20, F-EC-29
-- sdk: EcephysSession.mean_waveforms
-- partition: session_id
--   session_id                 session
--   unit_id                    unit
--   channel_id                 channel
--   is_peak                    the unit's peak channel
--   local_index                index of the channel on the probe, from the tip
--   probe_vertical_position    distance of the channel from the tip along the probe (um)
--   sample                     index within the waveform, from 0
--   time_from_start            sample / sampling rate (s)
--   waveform                   mean waveform (uV)
with unnested as (
    select
        w.session_id,
        w.unit_id,
        w.channel_id,
        w.is_peak,
        w.local_index,
        w.probe_vertical_position,
        w.sampling_rate,
        unnest(range(len(w.waveform))) as sample,
        unnest(w.waveform) as waveform
    from ecephys.waveforms as w
)
select
    w.session_id,
    w.unit_id,
    w.channel_id,
    w.is_peak,
    w.local_index,
    w.probe_vertical_position,
    w.sample,
    w.sample / w.sampling_rate as time_from_start,
    w.waveform
from unnested as w
