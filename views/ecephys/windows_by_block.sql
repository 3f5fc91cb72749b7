-- one time block of a session with the windows that touch it, packed for the kernels that count and find spikes
-- macro: ecephys.windows_by_block(windows)
--   windows      relation (session_id, window_id, start_time, stop_time); windows without start or stop are left out
--   session_id   session
--   time_block   block of ecephys.spike_trains; a block with very many windows is listed several times
--   bucket       number of the row, from 1
--   n_inside     windows that lie within the block: the first ones; the others reach into other blocks as well, and
--                their counts add up over blocks
--   window_ids   the windows, each of the two sorts in the order of their starts
--   inside_ids   those that lie within the block
--   crossing_ids those that reach into other blocks
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
_blocks_of as (
    select
        session_id,
        {'window_id': window_id, 'start': start_time, 'stop': stop_time} as w,
        least(greatest(floor(start_time / 600), -1e9::double), 1e9::double)::bigint as from_block,
        least(greatest(floor(stop_time / 600), -1e9::double), 1e9::double)::bigint as to_block
    from _windows
),
-- A window without end reaches over the recorded blocks; only then is it asked which those are.
_recorded as (
    select t.session_id, min(t.time_block) as first_block, max(t.time_block) as last_block
    from (select distinct session_id from _blocks_of where to_block - from_block > 1000) as w
    join ecephys.spike_trains as t on t.session_id = w.session_id
    group by t.session_id
),
_placed as (
    select
        b.session_id,
        b.w,
        case when b.to_block - b.from_block > 1000 then greatest(b.from_block, coalesce(r.first_block, 0))
            else b.from_block end as from_block,
        case when b.to_block - b.from_block > 1000 then least(b.to_block, coalesce(r.last_block, 0))
            else b.to_block end as to_block
    from _blocks_of as b
    left join _recorded as r on r.session_id = b.session_id
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
        (row_number() over (partition by session_id, time_block order by crosses, w.start) - 1) // 8192 as chunk
    from _touched
),
_listed as (
    select
        session_id,
        time_block,
        list(w order by crosses, w.start) as ws,
        count(*) filter (where not crosses) as n_inside
    from _numbered
    group by session_id, time_block, chunk
)
select
    session_id,
    time_block,
    row_number() over () as bucket,
    n_inside,
    list_transform(ws, lambda w: w.window_id) as window_ids,
    list_transform(ws[:n_inside], lambda w: w.window_id) as inside_ids,
    list_transform(ws[n_inside + 1:], lambda w: w.window_id) as crossing_ids,
    pack(list_transform(ws, lambda w: w.start)) as starts,
    pack(list_transform(ws, lambda w: w.stop)) as stops
from _listed
