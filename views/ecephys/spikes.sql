-- one spike of one sorted unit
-- spec: ecephys EC-5, 3.1
-- sdk: EcephysSession.spike_times, EcephysSession.spike_amplitudes
-- partition: session_id
--   session_id         session it was recorded in
--   unit_id            unit it was assigned to
--   spike_time         time on the session's master clock (s)
--   spike_amplitude    peak-to-trough amplitude (V)
--   time_block         floor(spike_time / 600 s); a filter on it lets files be skipped within
with unnested as (
    select
        t.session_id,
        t.unit_id,
        t.time_block,
        t.clock_rate,
        t.clock_shift,
        unnest(t.spike_ticks) as spike_tick,
        unnest(t.spike_times) as spike_time,
        unnest(t.spike_amplitudes) as spike_amplitude
    from ecephys.spike_trains as t
)
select
    s.session_id,
    s.unit_id,
    coalesce(s.spike_time, s.spike_tick / s.clock_rate - s.clock_shift) as spike_time,
    s.spike_amplitude,
    s.time_block
from unnested as s
