-- one sample of a window of a sweep
-- spec: cell_types 5, NW-3, CT-200
-- macro: icephys.sweep_window(specimen, sweep, t0 := 0, t1 := null, valid_only := false)
--   specimen        cell
--   sweep           number of the sweep
--   t0              start of the window, from the start of the sweep (s)
--   t1              end of the window, excluded; NULL for the end of the sweep (s)
--   valid_only      true: nothing behind the experiment's end, where recordings may be cut off and filled up
--   sample_index    sample, from 0
--   timestamp       time from the start of the sweep (s)
--   stimulus        stimulus (A in current clamp, else V)
--   response        response (V in current clamp, else A)
--   current_pa      current clamp: stimulus (pA)
--   voltage_mv      current clamp: response (mV)
-- A limit that lies on a sample is that sample, though times its rate it may come out a rounding error above.
with _limits as (
    select
        s.sampling_rate,
        s.clamp_mode,
        greatest(ceil(round(t0::double * s.sampling_rate, 6)), 0)::bigint as first_index,
        least(
            case when t1 is null then s.n_samples else ceil(round(t1::double * s.sampling_rate, 6)) end,
            case when valid_only then coalesce(s.experiment_stop_index + 1, s.n_samples) else s.n_samples end,
            s.n_samples
        )::bigint as end_index
    from icephys.nwb_sweeps as s
    where s.specimen_id = specimen::bigint
        and s.sweep_number = sweep::bigint
        and lake.require_sweep(specimen, sweep)
),
_samples as (
    select
        w.clamp_mode,
        w.sampling_rate,
        unnest(range(w.first_index, w.end_index)) as sample_index,
        unnest(
            unpacked_samples_between(t.stimulus_bytes, coalesce(t.stimulus_levels, []), w.first_index, w.end_index)
        ) as stimulus,
        unnest(
            unpacked_samples_between(t.response_bytes, coalesce(t.response_levels, []), w.first_index, w.end_index)
        ) as response
    from icephys.stored_traces as t
    cross join _limits as w
    where t.specimen_id = specimen::bigint
        and t.sweep_number = sweep::bigint
        and w.end_index > w.first_index
)
select
    sample_index,
    sample_index * (1 / sampling_rate) as timestamp,
    stimulus,
    response,
    case when clamp_mode = 'current_clamp' then (stimulus * 1e12::float)::float end as current_pa,
    case when clamp_mode <> 'voltage_clamp' then (response * 1e3::float)::float end as voltage_mv
from _samples
