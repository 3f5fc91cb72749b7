-- one interval between consecutive spikes of one unit
-- macro: ecephys.interspike_intervals(units)
--   units        relation (session_id, unit_id)
--   session_id   session
--   unit_id      unit
--   spike_time   the later of the two spikes (s)
--   interval     since the spike before (s)
with _units as (
    select distinct units.session_id, units.unit_id
    from query_table(units) as units
),
_spikes as (
    select
        t.session_id,
        t.unit_id,
        unnest(coalesce(
            list_transform(t.spike_ticks, lambda k: k / t.clock_rate - t.clock_shift), t.spike_times
        )) as spike_time
    from ecephys.spike_trains as t
    join _units as u on u.session_id = t.session_id and u.unit_id = t.unit_id
),
_intervals as (
    select
        session_id,
        unit_id,
        spike_time,
        spike_time - lag(spike_time) over (partition by session_id, unit_id order by spike_time) as interval
    from _spikes
)
select session_id, unit_id, spike_time, interval
from _intervals
where interval is not null
