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
-- Window ids of all blocks in one row: an element of a constant list costs nothing, a joined list is copied each time.
_ids as (
    select list(window_ids order by bucket) as of_bucket
    from _blocks
),
_trained as materialized (
    select
        t.session_id,
        t.unit_id,
        b.bucket,
        b.n_inside,
        count_spikes_in_windows(
            t.spike_ticks, t.clock_rate, t.clock_shift, t.spike_times, b.starts, b.stops
        ) as counts
    from ecephys.spike_trains as t
    join _units as u on u.session_id = t.session_id and u.unit_id = t.unit_id
    join _blocks as b on b.session_id = t.session_id and b.time_block = t.time_block
),
-- A unit that is silent in a block has no train there: its counts are NULL here and 0 below.
_silent as (
    select u.session_id, u.unit_id, b.bucket, b.n_inside, null::int[] as counts
    from _units as u
    join _blocks as b on b.session_id = u.session_id
    anti join _trained as t on t.unit_id = u.unit_id and t.bucket = b.bucket and t.session_id = u.session_id
),
_counted as (
    from _trained
    union all
    from _silent
),
_named as (
    select session_id, unit_id, n_inside, counts, (select of_bucket from _ids)[bucket] as window_ids
    from _counted
),
_unnested as (
    select
        session_id,
        unit_id,
        n_inside,
        unnest(window_ids) as window_id,
        unnest(counts) as spike_count,
        generate_subscripts(window_ids, 1) as position
    from _named
),
_crossing as (
    select session_id, unit_id, window_ids[n_inside + 1:] as window_ids, counts[n_inside + 1:] as counts
    from _named
),
_crossing_unnested as (
    select session_id, unit_id, unnest(window_ids) as window_id, unnest(counts) as spike_count
    from _crossing
)
select session_id, window_id, unit_id, coalesce(spike_count, 0)::int as spike_count
from _unnested
where position <= n_inside
union all
select session_id, window_id, unit_id, coalesce(sum(spike_count), 0)::int as spike_count
from _crossing_unnested
group by session_id, window_id, unit_id
