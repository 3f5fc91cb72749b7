-- one run of listed channels in one structure, in the order they are listed
-- spec: ecephys EC-4, OD-16, F-EC-28
-- sdk: EcephysSession.channel_structure_intervals
-- macro: ecephys.channel_structure_runs(channel_list)
--   channel_list         list of channel ids; the reference means to sort them by local index, and does not: OD-16
--   run_index            0-based
--   structure_id         structure of the run; NULL out of the brain
--   structure_acronym    acronym of its first channel
--   first_index          position of the run's first channel in the list
--   stop_index           position behind its last one
with listed as (
    select
        unnest(channel_list::bigint[]) as channel_id,
        generate_subscripts(channel_list::bigint[], 1) - 1 as position
),
placed as (
    select
        l.position,
        c.structure_id,
        c.structure_acronym,
        row_number() over in_order - row_number() over (
            partition by c.structure_id
            order by l.position
        ) as run
    from listed as l
    join ecephys.channels as c on c.channel_id = l.channel_id
    window in_order as (order by l.position)
),
runs as (
    select
        p.structure_id,
        arg_min(p.structure_acronym, p.position) as structure_acronym,
        min(p.position) as first_index,
        max(p.position) + 1 as stop_index
    from placed as p
    group by p.structure_id, p.run
)
select
    row_number() over (order by r.first_index) - 1 as run_index,
    r.structure_id,
    r.structure_acronym,
    r.first_index,
    r.stop_index
from runs as r
