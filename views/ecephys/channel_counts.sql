-- one channel with the number of its units
-- spec: ecephys EC-2, F-EC-9
-- sdk: EcephysProjectCache.get_channels
-- partition: session_id
--   session_id    session
--   channel_id    channel
--   unit_count    units of default quality of which it is the peak channel
with unit_counts as (
    select
        u.session_id,
        u.peak_channel_id,
        count(*) as unit_count
    from ecephys.good_units as u
    group by u.session_id, u.peak_channel_id
)
select
    c.session_id,
    c.channel_id,
    coalesce(u.unit_count, 0) as unit_count
from ecephys.channels as c
left join unit_counts as u on u.session_id = c.session_id and u.peak_channel_id = c.channel_id
