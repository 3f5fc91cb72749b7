-- one spike that lies in no interval in which its probe's data are not to be trusted
-- spec: ecephys EC-5
-- partition: session_id
--   session_id         session it was recorded in
--   unit_id            unit it was assigned to
--   spike_time         time on the session's master clock (s)
--   spike_amplitude    peak-to-trough amplitude (V)
--   time_block         floor(spike_time / 600 s); a filter on it lets files be skipped within
with distrusted as (
    select
        u.session_id,
        u.unit_id,
        list({'start_time': i.start_time, 'stop_time': i.stop_time}) as intervals
    from ecephys.units as u
    join ecephys.invalid_times as i
        on i.session_id = u.session_id
        and (list_contains(i.tags, 'all_probes') or list_contains(i.tags, u.probe_name))
    group by u.session_id, u.unit_id
)
select
    s.session_id,
    s.unit_id,
    s.spike_time,
    s.spike_amplitude,
    s.time_block
from ecephys.spikes as s
left join distrusted as d on d.session_id = s.session_id and d.unit_id = s.unit_id
where d.intervals is null
   or not list_bool_or(list_transform(
       d.intervals, lambda i: s.spike_time >= i.start_time and s.spike_time <= i.stop_time))
