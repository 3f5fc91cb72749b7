-- one unit's whole spike train, packed for a kernel; a unit without spikes has none
-- macro: ecephys.packed_trains(units)
--   units         relation (session_id, unit_id)
--   session_id    session
--   unit_id       unit
--   spike_times   ascending, packed (s)
with _units as (
    select distinct units.session_id, units.unit_id
    from query_table(units) as units
)
select
    t.session_id,
    t.unit_id,
    -- blocks follow each other and are ascending within, so that the whole needs no sort
    pack(flatten(list(
        coalesce(t.spike_times, list_transform(t.spike_ticks, lambda k: k / t.clock_rate - t.clock_shift))
        order by t.time_block
    ))) as spike_times
from ecephys.spike_trains as t
join _units as u on u.session_id = t.session_id and u.unit_id = t.unit_id
group by t.session_id, t.unit_id
