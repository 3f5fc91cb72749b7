-- one session with the numbers of what was recorded
-- spec: ecephys EC-2, F-EC-9
-- sdk: EcephysProjectCache.get_sessions
-- partition: session_id
--   session_id            session
--   unit_count            units of default quality
--   channel_count         channels
--   probe_count           probes
--   structure_acronyms    distinct structures of its channels, first seen first by channel id; NULL is one
with unit_counts as (
    select
        u.session_id,
        count(*) as unit_count
    from ecephys.good_units as u
    group by u.session_id
),
probe_counts as (
    select
        p.session_id,
        count(*) as probe_count
    from ecephys.probes as p
    group by p.session_id
),
structures as (
    select
        c.session_id,
        c.structure_acronym,
        count(*) as n_channels,
        min(c.channel_id) as first_seen
    from ecephys.channels as c
    group by c.session_id, c.structure_acronym
),
channel_counts as (
    select
        t.session_id,
        sum(t.n_channels)::bigint as channel_count,
        list(t.structure_acronym order by t.first_seen) as structure_acronyms
    from structures as t
    group by t.session_id
)
select
    s.session_id,
    coalesce(u.unit_count, 0) as unit_count,
    coalesce(c.channel_count, 0) as channel_count,
    coalesce(p.probe_count, 0) as probe_count,
    coalesce(c.structure_acronyms, []) as structure_acronyms
from ecephys.sessions as s
left join unit_counts as u on u.session_id = s.session_id
left join probe_counts as p on p.session_id = s.session_id
left join channel_counts as c on c.session_id = s.session_id
