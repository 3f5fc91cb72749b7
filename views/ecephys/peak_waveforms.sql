-- one unit's mean waveform on its peak channel
-- spec: ecephys EC-20
-- sdk: EcephysSession.mean_waveforms
-- partition: session_id
--   session_id       session
--   unit_id          unit
--   channel_id       peak channel; NULL where the file does not tell
--   sampling_rate    of the waveform's samples (Hz)
--   waveform         mean waveform, one value a sample (uV)
select
    w.session_id,
    w.unit_id,
    w.channel_id,
    coalesce(w.sampling_rate, p.sampling_rate) as sampling_rate,
    w.waveform
from ecephys.nwb_waveforms as w
left join ecephys.channels as c on c.session_id = w.session_id and c.channel_id = w.channel_id
left join ecephys.probes as p on p.probe_id = c.probe_id
where w.is_peak
