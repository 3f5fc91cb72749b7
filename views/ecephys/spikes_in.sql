-- one spike of one unit within a window of time; once for every window it falls in
-- macro: ecephys.spikes_in(units, windows)
--   units             relation (session_id, unit_id); 'ecephys.units' for the whole population
--   windows           relation (session_id, window_id, start_time, stop_time), half-open [start_time, stop_time), in any
--                     order, overlapping or not; a window without start or stop is left out
--   session_id        session
--   window_id         window, as given
--   unit_id           unit
--   spike_time        time on the session's master clock (s)
--   spike_amplitude   peak-to-trough amplitude (V)
with _units as (
    select distinct units.session_id, units.unit_id
    from query_table(units) as units
),
_blocks as materialized (
    from ecephys.windows_by_block(windows)
),
_ids as (
    select list(window_ids order by bucket) as of_bucket
    from _blocks
),
_found as (
    select
        t.session_id,
        t.unit_id,
        b.bucket,
        t.spike_amplitudes,
        unnest(
            find_spikes_in_windows(t.session_id, t.time_block, t.unit_id, b.starts, b.stops)
        ) as spike
    -- Only the blocks that a window touches: said here as well as in the join, as this reaches the scan, which then
    -- skips other files and row groups whatever the order of the joins.
    from (
        from ecephys.spike_trains
        where session_id in (select b.session_id from _blocks as b)
          and time_block in (select b.time_block from _blocks as b)
    ) as t
    join _units as u on u.session_id = t.session_id and u.unit_id = t.unit_id
    join _blocks as b on b.session_id = t.session_id and b.time_block = t.time_block
)
select
    session_id,
    (select of_bucket from _ids)[bucket][spike.window_index + 1] as window_id,
    unit_id,
    spike.spike_time as spike_time,
    spike_amplitudes[spike.spike_index + 1] as spike_amplitude
from _found
