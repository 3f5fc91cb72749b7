-- one probe with the numbers of what it recorded
-- spec: ecephys EC-2, F-EC-9
-- sdk: EcephysProjectCache.get_probes
-- partition: session_id
--   session_id            session
--   probe_id              probe
--   unit_count            units of default quality
--   channel_count         channels
--   structure_acronyms    distinct structures of its channels, first seen first by channel id; NULL is one
with unit_counts as (
    select
        u.session_id,
        u.probe_id,
        count(*) as unit_count
    from ecephys.good_units as u
    group by u.session_id, u.probe_id
),
structures as (
    select
        c.probe_id,
        c.structure_acronym,
        count(*) as n_channels,
        min(c.channel_id) as first_seen
    from ecephys.channels as c
    group by c.probe_id, c.structure_acronym
),
channel_counts as (
    select
        t.probe_id,
        sum(t.n_channels)::bigint as channel_count,
        list(t.structure_acronym order by t.first_seen) as structure_acronyms
    from structures as t
    group by t.probe_id
)
select
    p.session_id,
    p.probe_id,
    coalesce(u.unit_count, 0) as unit_count,
    coalesce(c.channel_count, 0) as channel_count,
    coalesce(c.structure_acronyms, []) as structure_acronyms
from ecephys.probes as p
left join unit_counts as u on u.session_id = p.session_id and u.probe_id = p.probe_id
left join channel_counts as c on c.probe_id = p.probe_id
