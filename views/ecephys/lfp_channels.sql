-- one channel whose LFP a probe file holds
-- spec: ecephys 2.7
-- sdk: EcephysSession.get_lfp
--   session_id                   session
--   probe_id                     probe
--   channel_id                   recording channel
--   probe_name                   name of the probe
--   column_index                 column of the LFP data in the file
--   local_index                  index on the probe, from the tip
--   probe_vertical_position      distance from the tip along the probe (um)
--   probe_horizontal_position    distance across the probe (um)
--   ap_um                        anterior-posterior CCF position (um)
--   dv_um                        dorsal-ventral CCF position (um)
--   ml_um                        left-right CCF position (um)
--   structure_id                 CCF structure; NULL out of the brain
--   structure_acronym            its acronym
--   valid_data                   data of the channel are usable
--   lfp_sampling_rate            of the stored LFP (Hz)
select
    l.session_id,
    l.probe_id,
    l.channel_id,
    p.name as probe_name,
    l.column_index,
    c.local_index,
    c.probe_vertical_position,
    c.probe_horizontal_position,
    c.ap_um,
    c.dv_um,
    c.ml_um,
    c.structure_id,
    c.structure_acronym,
    c.valid_data,
    coalesce(l.lfp_sampling_rate, p.lfp_sampling_rate) as lfp_sampling_rate
from ecephys.nwb_lfp_channels as l
join ecephys.channels as c on c.session_id = l.session_id and c.channel_id = l.channel_id
left join ecephys.probes as p on p.probe_id = l.probe_id
