-- one event of one cell of the Brain Observatory
-- spec: ophys 2.7
-- sdk: BrainObservatoryCache.get_ophys_experiment_events
-- partition: ophys_experiment_id
--   ophys_experiment_id   experiment
--   cell_index            its place among the cells of the experiment's recording, from 0
--   event_frame           frame of the recording, from 0
--   event_magnitude       how large it is, as a fraction of dF/F
select
    e.ophys_experiment_id,
    e.cell_index,
    unnest(e.event_frames) as event_frame,
    unnest(e.event_magnitudes) as event_magnitude
from ophys.event_trains as e
