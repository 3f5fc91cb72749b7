-- one chunk of a probe's LFP with the ranges of its samples that lie in invalid times
-- spec: ecephys EC-5
--   session_id     session
--   probe_id       probe
--   chunk          chunk of samples
--   first_sample   index of the chunk's first sample
--   start_time     time of the chunk's first sample (s)
--   next_start     time of the following chunk's first sample (s)
--   timestamps     time of each sample (s)
--   masked         first and end (exclusive) of each invalid range of samples, relative to the chunk
with invalid as (
    select
        session_id,
        probe_id,
        list(start_time order by start_time, stop_time) as starts,
        list(stop_time order by start_time, stop_time) as stops
    from ecephys.lfp_invalid_times
    group by session_id, probe_id
)
select
    t.session_id,
    t.probe_id,
    t.chunk,
    t.first_sample,
    t.timestamps[1] as start_time,
    lead(t.timestamps[1]) over (partition by t.session_id, t.probe_id order by t.chunk) as next_start,
    t.timestamps,
    coalesce(samples_within(t.timestamps, i.starts, i.stops), []::bigint[]) as masked
from ecephys.lfp_times as t
left join invalid as i
    on i.session_id = t.session_id and i.probe_id = t.probe_id
