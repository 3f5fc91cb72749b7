-- one spike of sweeps with the nearest spike that another source tells of the same sweep
-- spec: cell_types CT-203, question 22
-- macro: icephys.spike_distances(spikes, others)
-- Of a model beside its recording, of two models, of stored beside recomputed spikes. Both are relations of spikes:
--     with recorded as (from icephys.spike_times),
--     models as (
--         select specimen_id, sweep_number, unnest(interpolated_spike_times) as spike_time
--         from models.simulate_glif_recorded('models.glif_models', traces := false))
--     select * from icephys.spike_distances('recorded', 'models')
--   spikes          relation (specimen_id, sweep_number, spike_time)
--   others          relation of the same columns
--   specimen_id     cell
--   sweep_number    sweep
--   spike_index     spike of the sweep, from 0
--   spike_time      its time from the start of the sweep (s)
--   nearest_time    the nearest of the others; the earlier of two; NULL where they have none in this sweep (s)
--   distance        from the spike to it, negative where it comes before (s)
with _spikes as (
    select
        s.specimen_id,
        s.sweep_number,
        s.spike_time,
        row_number() over (partition by s.specimen_id, s.sweep_number order by s.spike_time) - 1 as spike_index
    from query_table(spikes) as s
    where s.spike_time is not null
),
_others as (
    select o.specimen_id, o.sweep_number, o.spike_time as other_time
    from query_table(others) as o
    where o.spike_time is not null
),
_between as (
    select
        s.specimen_id,
        s.sweep_number,
        s.spike_index,
        s.spike_time,
        b.other_time as time_before,
        a.other_time as time_after
    from _spikes as s
    asof left join _others as b
        on b.specimen_id = s.specimen_id
        and b.sweep_number = s.sweep_number
        and s.spike_time >= b.other_time
    asof left join _others as a
        on a.specimen_id = s.specimen_id
        and a.sweep_number = s.sweep_number
        and s.spike_time <= a.other_time
),
_nearest as (
    select
        b.specimen_id,
        b.sweep_number,
        b.spike_index,
        b.spike_time,
        case
            when b.time_after is null then b.time_before
            when b.time_before is null or b.time_after - b.spike_time < b.spike_time - b.time_before then b.time_after
            else b.time_before
        end as nearest_time
    from _between as b
)
select
    n.specimen_id,
    n.sweep_number,
    n.spike_index,
    n.spike_time,
    n.nearest_time,
    n.nearest_time - n.spike_time as distance
from _nearest as n
order by n.specimen_id, n.sweep_number, n.spike_index
