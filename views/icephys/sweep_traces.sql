-- one sweep with its samples: what kernels take and first sight wants
-- spec: cell_types 3.2, 3.6, CT-200
-- partition: specimen_id
--   specimen_id    cell
--   sweep_number   number of the sweep in its recording
--   stimulus       samples of the stimulus; NULL where there is none (A in current clamp, else V)
--   response       samples of the response (V in current clamp, else A)
select
    t.specimen_id,
    t.sweep_number,
    unpacked_samples(t.stimulus_bytes, coalesce(t.stimulus_levels, [])) as stimulus,
    unpacked_samples(t.response_bytes, coalesce(t.response_levels, [])) as response
from icephys.stored_traces as t
