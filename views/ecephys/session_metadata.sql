-- one session with what it holds
-- spec: ecephys 5, F-EC-13
-- sdk: EcephysSession.metadata, EcephysSession.num_units, EcephysSession.num_channels, EcephysSession.num_probes, EcephysSession.num_stimulus_presentations, EcephysSession.structure_acronyms, EcephysSession.stimulus_names
-- partition: session_id
--   session_id                    session
--   specimen_name                 name of the animal
--   session_type                  stimulus programme
--   full_genotype                 genotype
--   sex                           M or F
--   age_in_days                   age when recorded (d)
--   rig_equipment_name            rig it was recorded on
--   session_start_time_utc        wall clock at time 0 (UTC)
--   num_units                     units of default quality
--   num_channels                  channels whose data are usable
--   num_probes                    probes
--   num_stimulus_presentations    presentations
--   structure_acronyms            structures of the channels, first seen first along the probes; NULL is one
--   stimulus_names                stimuli in order of their first presentation
with unit_counts as (
    select
        u.session_id,
        count(*) as num_units
    from ecephys.good_units as u
    group by u.session_id
),
probe_counts as (
    select
        p.session_id,
        count(*) as num_probes
    from ecephys.probes as p
    group by p.session_id
),
structures as (
    select
        c.session_id,
        c.structure_acronym,
        count(*) as n_channels,
        min({'probe': p.name, 'local_index': c.local_index, 'channel_id': c.channel_id}) as first_seen
    from ecephys.channels as c
    left join ecephys.probes as p on p.probe_id = c.probe_id
    where coalesce(c.valid_data, true)
    group by c.session_id, c.structure_acronym
),
channel_counts as (
    select
        t.session_id,
        sum(t.n_channels)::bigint as num_channels,
        list(t.structure_acronym order by t.first_seen) as structure_acronyms
    from structures as t
    group by t.session_id
),
stimuli as (
    select
        p.session_id,
        p.stimulus_name,
        count(*) as n_presentations,
        min({'start_time': p.start_time, 'id': p.stimulus_presentation_id}) as first_seen
    from ecephys.stimulus_presentations as p
    group by p.session_id, p.stimulus_name
),
presentation_counts as (
    select
        t.session_id,
        sum(t.n_presentations)::bigint as num_stimulus_presentations,
        list(t.stimulus_name order by t.first_seen) as stimulus_names
    from stimuli as t
    group by t.session_id
)
select
    s.session_id,
    s.specimen_name,
    s.session_type,
    s.full_genotype,
    s.sex,
    s.age_in_days,
    s.rig_equipment_name,
    s.session_start_time_utc,
    coalesce(u.num_units, 0) as num_units,
    coalesce(c.num_channels, 0) as num_channels,
    coalesce(p.num_probes, 0) as num_probes,
    coalesce(t.num_stimulus_presentations, 0) as num_stimulus_presentations,
    coalesce(c.structure_acronyms, []) as structure_acronyms,
    coalesce(t.stimulus_names, []) as stimulus_names
from ecephys.sessions as s
left join unit_counts as u on u.session_id = s.session_id
left join probe_counts as p on p.session_id = s.session_id
left join channel_counts as c on c.session_id = s.session_id
left join presentation_counts as t on t.session_id = s.session_id
