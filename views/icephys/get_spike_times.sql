-- one spike of a sweep, out of the key of the file that is asked for
-- spec: cell_types 5, NW-5, CT-059, CT-063
-- sdk: NwbDataSet.get_spike_times
-- macro: icephys.get_spike_times(specimen, sweep, key := 'spike_times')
--   specimen      cell
--   sweep         number of the sweep
--   key           where the file's analysis keeps them; aibs_spike_times is looked into where the key has none
--   spike_index   spike of the sweep, from 0
--   spike_time    from the start of the sweep (s)
with _chosen as (
    select s.spike_times
    from icephys.stored_spike_times as s
    where s.specimen_id = specimen::bigint
        and s.sweep_number = sweep::bigint
        and s.spike_key in (key, 'aibs_spike_times')
        and lake.require_sweep(specimen, sweep, 'spike_times')
    order by s.spike_key = key desc
    limit 1
)
select
    unnest(range(len(spike_times))) as spike_index,
    unnest(spike_times) as spike_time
from _chosen
