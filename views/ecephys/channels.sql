-- one channel (electrode), whichever source tells of it
-- spec: ecephys 2.3, EC-2, F-EC-6
-- sdk: EcephysProjectCache.get_channels, EcephysSession.channels
--   session_id                   session it recorded
--   channel_id                   recording channel
--   probe_id                     probe it is on
--   local_index                  index on the probe, from the tip
--   probe_vertical_position      distance from the tip along the probe (um)
--   probe_horizontal_position    distance across the probe (um)
--   ap_um                        anterior-posterior CCF position (um)
--   dv_um                        dorsal-ventral CCF position (um)
--   ml_um                        left-right CCF position (um)
--   structure_id                 CCF structure; NULL out of the brain
--   structure_acronym            its acronym, or another laboratory's location text
--   structure_id_original        structure before the patch of its probe
--   structure_acronym_original   acronym before the patch of its probe
--   is_patched                   the structure comes from ecephys.structure_patches
--   valid_data                   data of the channel are usable; NULL where no file tells
--   impedance                    impedance (ohm)
--   filtering                    hardware filters
--   source_channel_id            the natural id in the file
--   in_nwb                       a session or probe file in the lake tells of it
--   in_project                   the project's channel table tells of it
-- Sources are stacked and grouped, not joined outer to outer, so that a session's filter reaches every one of them.
-- A lower rank is preferred, column by column: a file, the project's table, a merged table.
with told as (
    select
        n.session_id, n.channel_id, n.probe_id, n.local_index, n.probe_vertical_position,
        n.probe_horizontal_position, n.ap_um, n.dv_um, n.ml_um, n.structure_id, n.structure_acronym, n.valid_data,
        n.impedance, n.filtering, n.source_channel_id, 1 as rank, 1 as place_rank
    from ecephys.nwb_channels as n
    union all
    select
        l.session_id, l.channel_id, l.probe_id, l.local_index, l.probe_vertical_position,
        l.probe_horizontal_position, l.ap_um, l.dv_um, l.ml_um, l.structure_id, l.structure_acronym, l.valid_data,
        l.impedance, l.filtering, l.source_channel_id, 2, 2
    from ecephys.nwb_lfp_channels as l
    union all
    -- The project's place replaces the file's, also where it is NULL: out of the brain.
    select
        r.session_id, p.channel_id, p.probe_id, p.local_index, p.probe_vertical_position,
        p.probe_horizontal_position, p.ap_um, p.dv_um, p.ml_um, p.structure_id, p.structure_acronym, null,
        null, null, null, 3, 0
    from ecephys.project_channels as p
    left join ecephys.probes as r on r.probe_id = p.probe_id
    union all
    select
        a.session_id, a.peak_channel_id, a.probe_id, a.local_index, a.probe_vertical_position,
        a.probe_horizontal_position, a.ap_um, a.dv_um, a.ml_um, a.structure_id, a.structure_acronym, null,
        null, null, null, 4, 4
    from ecephys.annotated_units as a
    where a.peak_channel_id is not null
),
merged as (
    select
        t.session_id,
        t.channel_id,
        arg_min(t.probe_id, t.rank) as probe_id,
        arg_min(t.local_index, t.rank) as local_index,
        arg_min(t.probe_vertical_position, t.rank) as probe_vertical_position,
        arg_min(t.probe_horizontal_position, t.rank) as probe_horizontal_position,
        arg_min(
            {
                'ap_um': t.ap_um,
                'dv_um': t.dv_um,
                'ml_um': t.ml_um,
                'structure_id': t.structure_id,
                'structure_acronym': t.structure_acronym
            },
            t.place_rank) as place,
        arg_min(t.valid_data, t.rank) as valid_data,
        arg_min(t.impedance, t.rank) as impedance,
        arg_min(t.filtering, t.rank) as filtering,
        arg_min(t.source_channel_id, t.rank) as source_channel_id,
        bool_or(t.rank <= 2) as in_nwb,
        bool_or(t.rank = 3) as in_project
    from told as t
    group by t.session_id, t.channel_id
),
patched_probes as (
    select distinct s.probe_id
    from ecephys.structure_patches as s
)
select
    m.session_id,
    m.channel_id,
    m.probe_id,
    m.local_index,
    m.probe_vertical_position,
    m.probe_horizontal_position,
    m.place.ap_um,
    m.place.dv_um,
    m.place.ml_um,
    case when q.probe_id is not null then s.structure_id else coalesce(m.place.structure_id, i.structure_id) end
        as structure_id,
    case when q.probe_id is not null then s.structure_acronym else m.place.structure_acronym end as structure_acronym,
    coalesce(m.place.structure_id, i.structure_id) as structure_id_original,
    m.place.structure_acronym as structure_acronym_original,
    q.probe_id is not null as is_patched,
    m.valid_data,
    m.impedance,
    m.filtering,
    m.source_channel_id,
    m.in_nwb,
    m.in_project
from merged as m
left join patched_probes as q on q.probe_id = m.probe_id
left join ecephys.structure_patches as s
    on s.probe_id = m.probe_id
    and m.local_index between s.first_local_index and s.last_local_index
left join ecephys.structure_acronym_ids as i on i.structure_acronym = m.place.structure_acronym
