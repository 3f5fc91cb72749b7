-- one sweep of a cell, with its samples and everything told of it
-- spec: cell_types 5, NW-2, NW-3, NW-8, CT-060
-- sdk: NwbDataSet.get_sweep
-- macro: icephys.sweep(specimen, sweep)
--   specimen   cell
--   sweep      number of the sweep
--   stimulus   samples of the stimulus; NULL where there is none (A in current clamp, else V)
--   response   samples of the response, the whole of them, as recorded (V in current clamp, else A)
select
    s.*,
    t.stimulus,
    t.response
from icephys.recorded_sweeps as s
join icephys.sweep_traces as t
    on t.specimen_id = s.specimen_id
    and t.sweep_number = s.sweep_number
where s.specimen_id = specimen::bigint
    and s.sweep_number = sweep::bigint
    and t.specimen_id = specimen::bigint
    and t.sweep_number = sweep::bigint
    and lake.require_sweep(specimen, sweep)
