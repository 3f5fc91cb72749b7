-- one time block of a session with the windows that touch it, packed for the kernels that count and find spikes
-- macro: ecephys.windows_by_block(windows)
--   windows      relation (session_id, window_id, start_time, stop_time); windows without start or stop are left out
--   session_id   session
--   time_block   block of ecephys.spike_trains; a block with very many windows is listed several times
--   crosses      these windows reach into other blocks as well: their counts add up over blocks
--   bucket       number of the row, from 1
--   window_ids   the windows, in the order of their starts
--   starts       their starts, packed (s)
--   stops        their ends, packed (s)
with _windows as (
    select
        windows.session_id,
        windows.window_id,
        windows.start_time::double as start_time,
        windows.stop_time::double as stop_time
    from query_table(windows) as windows
    where not isnan(windows.start_time::double) and not isnan(windows.stop_time::double)
),
-- A window may reach far beyond the recording, but only recorded blocks are listed.
_recorded as (
    select t.session_id, min(t.time_block) as first_block, max(t.time_block) as last_block
    from ecephys.spike_trains as t
    semi join _windows as w on w.session_id = t.session_id
    group by t.session_id
),
_placed as (
    select
        w.session_id,
        {'window_id': w.window_id, 'start': w.start_time, 'stop': w.stop_time} as w,
        coalesce(least(greatest(floor(w.start_time / 600), r.first_block), r.last_block), 0)::int as from_block,
        coalesce(least(greatest(floor(w.stop_time / 600), r.first_block), r.last_block), 0)::int as to_block
    from _windows as w
    left join _recorded as r on r.session_id = w.session_id
),
_touched as (
    select
        session_id,
        w,
        from_block < to_block as crosses,
        unnest(range(from_block, greatest(from_block, to_block) + 1))::int as time_block
    from _placed
),
-- 8,192 windows a row bound the memory of a call, which takes up to 2,048 trains with their windows.
_numbered as (
    select
        *,
        (row_number() over (partition by session_id, time_block, crosses order by w.start) - 1) // 8192 as chunk
    from _touched
),
_listed as (
    select session_id, time_block, crosses, list(w order by w.start) as ws
    from _numbered
    group by session_id, time_block, crosses, chunk
)
select
    session_id,
    time_block,
    crosses,
    row_number() over () as bucket,
    list_transform(ws, lambda w: w.window_id) as window_ids,
    pack(list_transform(ws, lambda w: w.start)) as starts,
    pack(list_transform(ws, lambda w: w.stop)) as stops
from _listed
