-- one unit's whole spike train
-- spec: ecephys 3.1, F-EC-15
-- sdk: EcephysSession.spike_times, EcephysSession.spike_amplitudes
-- partition: session_id
--   session_id          session it was recorded in
--   unit_id             unit
--   n_spikes            spikes of the train
--   spike_times         times, ascending (s)
--   spike_amplitudes    peak-to-trough amplitudes, in the order of times (V)
with blocks as (
    select
        t.session_id,
        t.unit_id,
        t.time_block,
        t.n_spikes,
        coalesce(t.spike_times, list_transform(t.spike_ticks, lambda k: k / t.clock_rate - t.clock_shift))
            as spike_times,
        t.spike_amplitudes
    from ecephys.spike_trains as t
)
-- Blocks follow each other and are ascending within, so that the whole needs no sort.
select
    b.session_id,
    b.unit_id,
    sum(b.n_spikes)::bigint as n_spikes,
    flatten(list(b.spike_times order by b.time_block)) as spike_times,
    case
        when count(b.spike_amplitudes) = count(*) then flatten(list(b.spike_amplitudes order by b.time_block))
    end as spike_amplitudes
from blocks as b
group by b.session_id, b.unit_id
