-- one spike of a sweep, as the producer's analysis found it and the file keeps it
-- spec: cell_types NW-5, CT-059, CT-063
-- sdk: NwbDataSet.get_spike_times
-- Older files keep them as aibs_spike_times: those count where the file has no spike_times of the sweep.
--   specimen_id     cell
--   sweep_number    number of the sweep in its recording
--   spike_index     spike of the sweep, from 0
--   spike_time      from the start of the sweep (s)
--   spike_key       where it is in the file: spike_times, or aibs_spike_times of older ones
with chosen as (
    select
        s.specimen_id,
        s.sweep_number,
        s.spike_key,
        s.spike_times
    from icephys.stored_spike_times as s
    where s.spike_key in ('spike_times', 'aibs_spike_times')
    qualify row_number() over (
        partition by s.specimen_id, s.sweep_number
        order by s.spike_key = 'spike_times' desc
    ) = 1
)
select
    specimen_id,
    sweep_number,
    unnest(range(len(spike_times))) as spike_index,
    unnest(spike_times) as spike_time,
    spike_key
from chosen
