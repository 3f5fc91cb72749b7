-- one probe insertion, whichever source tells of it
-- spec: ecephys 3, EC-2
-- sdk: EcephysProjectCache.get_probes, EcephysSession.probes
--   session_id              session it was inserted in
--   probe_id                probe insertion
--   name                    probe name: probeA ... probeF, or the electrode group's
--   phase                   probe generation: 3a or PXI
--   sampling_rate           of the spike band, on the session's clock (Hz)
--   lfp_sampling_rate       of the stored LFP (Hz)
--   has_lfp_data            an LFP file exists
--   lfp_sampling_rate_raw   of the LFP band before subsampling (Hz)
--   lfp_temporal_subsampling_factor  samples of the raw band per stored sample (1)
--   air_channel_index       lowest channel in air
--   surface_channel_index   channel at the brain's surface
--   location                location of the electrode group
--   description             description of the electrode group
--   device                  device the group belongs to
--   source_probe_id         the natural id: the electrode group's name
--   in_nwb                  the session's file tells of it
--   in_project              the project's probe table tells of it
--   in_annotated            a merged unit table tells of it
with annotated as (
    select
        a.probe_id,
        any_value(a.session_id) as session_id,
        any_value(a.probe_name) as name,
        any_value(a.probe_phase) as phase,
        any_value(a.sampling_rate) as sampling_rate,
        any_value(a.lfp_sampling_rate) as lfp_sampling_rate,
        any_value(a.has_lfp_data) as has_lfp_data
    from ecephys.annotated_units as a
    where a.probe_id is not null
    group by a.probe_id
)
select
    coalesce(n.session_id, p.session_id, a.session_id) as session_id,
    coalesce(n.probe_id, p.probe_id, a.probe_id) as probe_id,
    coalesce(n.name, p.name, a.name) as name,
    coalesce(p.phase, a.phase) as phase,
    coalesce(n.sampling_rate, p.sampling_rate, a.sampling_rate) as sampling_rate,
    coalesce(n.lfp_sampling_rate, p.lfp_sampling_rate, a.lfp_sampling_rate) as lfp_sampling_rate,
    coalesce(n.has_lfp_data, p.has_lfp_data, a.has_lfp_data) as has_lfp_data,
    p.lfp_sampling_rate_raw,
    p.lfp_temporal_subsampling_factor,
    p.air_channel_index,
    p.surface_channel_index,
    n.location,
    n.description,
    n.device,
    n.source_probe_id,
    n.probe_id is not null as in_nwb,
    p.probe_id is not null as in_project,
    a.probe_id is not null as in_annotated
from ecephys.nwb_probes as n
full join ecephys.project_probes as p on p.probe_id = n.probe_id
full join annotated as a on a.probe_id = coalesce(n.probe_id, p.probe_id)
