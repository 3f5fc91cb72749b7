-- one sample of one sweep
-- spec: cell_types 3.2, 5, NW-8, CT-200
-- partition: specimen_id
-- Millivolts and picoamperes are products in single precision, as the reference has them.
--   specimen_id     cell
--   sweep_number    number of the sweep in its recording
--   sample_index    sample, from 0
--   sampling_rate   sampling rate (Hz)
--   timestamp       time from the start of the sweep (s)
--   stimulus        stimulus (A in current clamp, else V)
--   response        response (V in current clamp, else A)
--   current_pa      current clamp: stimulus (pA)
--   voltage_mv      current clamp: response (mV)
with samples as (
    select
        t.specimen_id,
        t.sweep_number,
        s.sampling_rate,
        s.clamp_mode,
        unnest(range(greatest(len(t.response), coalesce(len(t.stimulus), 0)))) as sample_index,
        unnest(t.stimulus) as stimulus,
        unnest(t.response) as response
    from icephys.sweep_traces as t
    join icephys.nwb_sweeps as s on s.specimen_id = t.specimen_id and s.sweep_number = t.sweep_number
)
select
    specimen_id,
    sweep_number,
    sample_index,
    sampling_rate,
    sample_index * (1 / sampling_rate) as timestamp,
    stimulus,
    response,
    case when clamp_mode = 'current_clamp' then (stimulus * 1e12::float)::float end as current_pa,
    case when clamp_mode <> 'voltage_clamp' then (response * 1e3::float)::float end as voltage_mv
from samples
