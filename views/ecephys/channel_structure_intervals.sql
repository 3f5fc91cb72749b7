-- one stretch of neighbouring channels of a probe in one structure
-- spec: ecephys EC-4, OD-16 corrected
-- macro: ecephys.channel_structure_intervals(channels)
--   channels             relation with channel_id: the channels to go along, in order of probe and local index
--   interval_index       0-based along the probe, from the tip
--   structure_id         structure of the stretch; NULL out of the brain
--   structure_acronym    acronym of its first channel
--   first_channel_id     first channel of the stretch
--   last_channel_id      last channel of the stretch
--   first_index          rank of the first channel among the given channels of the probe
--   stop_index           rank behind the last one
--   n_channels           channels of the stretch
--   lowest_position      smallest distance from the tip (um)
--   highest_position     largest distance from the tip (um)
with chosen as (
    select
        c.session_id,
        c.probe_id,
        c.channel_id,
        c.structure_id,
        c.structure_acronym,
        c.probe_vertical_position,
        row_number() over along - 1 as position,
        row_number() over along - row_number() over (
            partition by c.probe_id, c.structure_id
            order by c.local_index, c.channel_id
        ) as run
    from ecephys.channels as c
    where c.channel_id in (select g.channel_id from query_table(channels) as g)
    window along as (partition by c.probe_id order by c.local_index, c.channel_id)
),
runs as (
    select
        c.session_id,
        c.probe_id,
        c.structure_id,
        arg_min(c.structure_acronym, c.position) as structure_acronym,
        arg_min(c.channel_id, c.position) as first_channel_id,
        arg_max(c.channel_id, c.position) as last_channel_id,
        min(c.position) as first_index,
        max(c.position) + 1 as stop_index,
        count(*) as n_channels,
        min(c.probe_vertical_position) as lowest_position,
        max(c.probe_vertical_position) as highest_position
    from chosen as c
    group by c.session_id, c.probe_id, c.structure_id, c.run
)
select
    r.session_id,
    r.probe_id,
    row_number() over (partition by r.probe_id order by r.first_index) - 1 as interval_index,
    r.structure_id,
    r.structure_acronym,
    r.first_channel_id,
    r.last_channel_id,
    r.first_index,
    r.stop_index,
    r.n_channels,
    r.lowest_position,
    r.highest_position
from runs as r
