-- one sweep of a cell, with its samples and everything told of it
-- spec: cell_types 5, NW-2, NW-3, NW-8, CT-060
-- sdk: NwbDataSet.get_sweep
-- macro: icephys.sweep(specimen, sweep)
--   specimen   cell
--   sweep      number of the sweep
--   stimulus   samples of the stimulus; NULL where there is none (A in current clamp, else V)
--   response   samples of the response, the whole of them, as recorded (V in current clamp, else A)
-- Unpacked above the join, so that nothing of the samples is copied on the way.
with _told as (
    select s.*
    from icephys.recorded_sweeps as s
    where s.specimen_id = specimen::bigint
        and s.sweep_number = sweep::bigint
        and lake.require_sweep(specimen, sweep)
)
select
    s.*,
    unpacked_samples(t.stimulus_bytes, coalesce(t.stimulus_levels, [])) as stimulus,
    unpacked_samples(t.response_bytes, coalesce(t.response_levels, [])) as response
from icephys.stored_traces as t
cross join _told as s
where t.specimen_id = specimen::bigint
    and t.sweep_number = sweep::bigint
