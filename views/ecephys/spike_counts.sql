-- one window of time of one unit with the spikes in it; every pair of a unit and a window of its session, zeros too
-- spec: ecephys EC-7
-- macro: ecephys.spike_counts(units, windows)
--   units         relation (session_id, unit_id)
--   windows       relation (session_id, window_id, start_time, stop_time), half-open [start_time, stop_time), in any
--                 order, overlapping or not; a window without start or stop is left out
--   session_id    session
--   window_id     window, as given
--   unit_id       unit
--   spike_count   spikes with start_time <= spike_time < stop_time
with _units as (
    select distinct units.session_id, units.unit_id
    from query_table(units) as units
),
_blocks as materialized (
    from ecephys.windows_by_block(windows)
),
_trained as materialized (
    select
        t.session_id,
        t.unit_id,
        b.bucket,
        count_spikes_in_windows(
            t.spike_ticks, t.clock_rate, t.clock_shift, t.spike_times, b.starts, b.stops, b.n_inside
        ) as counts
    from ecephys.spike_trains as t
    join _units as u on u.session_id = t.session_id and u.unit_id = t.unit_id
    join _blocks as b on b.session_id = t.session_id and b.time_block = t.time_block
),
-- A unit that is silent in a block has no train there: its counts are NULL here and 0 below.
_silent as (
    select u.session_id, u.unit_id, b.bucket, null::struct(inside int[], crossing int[]) as counts
    from _units as u
    join _blocks as b on b.session_id = u.session_id
    anti join _trained as t on t.unit_id = u.unit_id and t.bucket = b.bucket and t.session_id = u.session_id
),
_counted as (
    from _trained
    union all
    from _silent
),
-- Only now the window ids, which cost memory: a list of them for every unit and block.
_inside as (
    select c.session_id, c.unit_id, unnest(b.inside_ids) as window_id, unnest(c.counts.inside) as spike_count
    from _counted as c
    join _blocks as b on b.bucket = c.bucket
),
_crossing as (
    select c.session_id, c.unit_id, unnest(b.crossing_ids) as window_id, unnest(c.counts.crossing) as spike_count
    from _counted as c
    join _blocks as b on b.bucket = c.bucket
)
select session_id, window_id, unit_id, coalesce(spike_count, 0)::int as spike_count
from _inside
union all
select session_id, window_id, unit_id, coalesce(sum(spike_count), 0)::int as spike_count
from _crossing
group by session_id, window_id, unit_id
