-- one spike of one sorted unit
-- spec: ecephys EC-5, 3.1
-- sdk: EcephysSession.spike_times, EcephysSession.spike_amplitudes
-- partition: session_id
--   session_id         session it was recorded in
--   unit_id            unit it was assigned to
--   spike_time         time on the session's master clock (s)
--   spike_amplitude    peak-to-trough amplitude (V)
--   time_block         floor(spike_time / 600 s); a filter on it lets files be skipped within
-- An index is unnested, not the lists, so that a list which a question does not use is not read.
with indexed as (
    select
        t.session_id,
        t.unit_id,
        t.time_block,
        t.clock_rate,
        t.clock_shift,
        t.spike_ticks,
        t.spike_times,
        t.spike_amplitudes,
        unnest(range(1, t.n_spikes + 1)) as i
    from ecephys.spike_trains as t
)
select
    s.session_id,
    s.unit_id,
    coalesce(s.spike_times[s.i], s.spike_ticks[s.i] / s.clock_rate - s.clock_shift) as spike_time,
    s.spike_amplitudes[s.i] as spike_amplitude,
    s.time_block
from indexed as s
