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
    select distinct units.session_id::bigint as session_id, units.unit_id::bigint as unit_id
    from query_table(units) as units
),
_windows as (
    select
        windows.session_id,
        windows.window_id,
        windows.start_time::double as start_time,
        windows.stop_time::double as stop_time
    from query_table(windows) as windows
    where not isnan(windows.start_time::double) and not isnan(windows.stop_time::double)
),
-- The kernel counts some units in some windows a row: 32,768 counts, which bound the memory of a call of 2,048 rows.
_sizes as (
    select
        u.session_id,
        greatest(64, 32768 // w.n) as units_a_row,
        32768 // least(greatest(64, 32768 // w.n), u.n) as windows_a_row
    from (select session_id, count(*) as n from _units group by session_id) as u
    join (select session_id, count(*) as n from _windows group by session_id) as w on w.session_id = u.session_id
),
_unit_lists as materialized (
    select session_id, (n - 1) // units_a_row as unit_list, list(unit_id order by n) as unit_ids
    from (
        select u.*, s.units_a_row, row_number() over (partition by u.session_id order by u.unit_id) as n
        from _units as u
        join _sizes as s on s.session_id = u.session_id
    )
    group by session_id, unit_list
),
_window_lists as materialized (
    select
        session_id,
        (n - 1) // windows_a_row as window_list,
        list(window_id order by n) as window_ids,
        pack(list(start_time order by n)) as starts,
        pack(list(stop_time order by n)) as stops
    from (
        select w.*, s.windows_a_row, row_number() over (partition by w.session_id order by w.start_time) as n
        from _windows as w
        join _sizes as s on s.session_id = w.session_id
    )
    group by session_id, window_list
),
-- Grouped, as DuckDB hands groups to all its threads.
_rows as (
    select u.session_id, u.unit_list, w.window_list
    from _unit_lists as u
    join _window_lists as w on w.session_id = u.session_id
    group by u.session_id, u.unit_list, w.window_list
),
_counted as (
    select
        r.session_id,
        w.window_ids,
        unnest(u.unit_ids) as unit_id,
        unnest(count_spikes_in_windows(r.session_id, u.unit_ids, w.starts, w.stops)) as spike_counts
    from _rows as r
    join _unit_lists as u on u.session_id = r.session_id and u.unit_list = r.unit_list
    join _window_lists as w on w.session_id = r.session_id and w.window_list = r.window_list
)
select
    session_id,
    unnest(window_ids) as window_id,
    unit_id,
    unnest(spike_counts) as spike_count
from _counted
