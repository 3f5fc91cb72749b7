-- one interval whose LFP is not to be trusted, for one probe: tagged with its name, or with all_probes
-- spec: ecephys EC-5
--   session_id   session
--   probe_id     probe
--   start_time   start, inclusive (s)
--   stop_time    end, inclusive (s)
select
    p.session_id,
    p.probe_id,
    i.start_time,
    i.stop_time
from ecephys.invalid_times as i
join ecephys.probes as p
    on p.session_id = i.session_id
where list_contains(i.tags, 'all_probes')
   or list_contains(i.tags, p.name)
