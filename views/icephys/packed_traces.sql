-- one sweep with its samples as they are stored, which is what kernels take best
-- spec: cell_types 3.2, 3.6, CT-200
-- partition: specimen_id
-- icephys.sweep_traces has them as lists.
--   specimen_id       cell
--   sweep_number      number of the sweep in its recording
--   packed_stimulus   samples of the stimulus (A in current clamp, else V)
--   packed_response   samples of the response (V in current clamp, else A)
select
    t.specimen_id,
    t.sweep_number,
    {'bytes': t.stimulus_bytes, 'levels': t.stimulus_levels} as packed_stimulus,
    {'bytes': t.response_bytes, 'levels': t.response_levels} as packed_response
from icephys.stored_traces as t
