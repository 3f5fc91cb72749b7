-- one unit's firing rate in one window of time; every pair of a unit and a window of its session, zeros too
-- macro: ecephys.firing_rates(units, windows)
--   units          relation (session_id, unit_id)
--   windows        relation (session_id, window_id, start_time, stop_time), half-open [start_time, stop_time)
--   session_id     session
--   window_id      window, as given
--   unit_id        unit
--   spike_count    spikes in the window
--   spikes_per_s   spike_count / (stop_time - start_time); NULL for an empty window (spikes/s)
with _windows as (
    select
        windows.session_id,
        {'id': windows.window_id, 'duration': windows.stop_time::double - windows.start_time::double} as window_id,
        windows.start_time,
        windows.stop_time
    from query_table(windows) as windows
)
select
    n.session_id,
    n.window_id.id as window_id,
    n.unit_id,
    n.spike_count,
    case when n.window_id.duration > 0 then n.spike_count / n.window_id.duration end as spikes_per_s
from ecephys.spike_counts(units, '_windows') as n
