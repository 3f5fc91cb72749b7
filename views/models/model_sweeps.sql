-- one sweep of a model's cell
-- spec: cell_types 5, CT-032
-- sdk: GlifApi.get_ephys_sweeps
-- From the cell's list of sweeps, or from the record of the model where that includes them.
--   neuronal_model_id   model
--   specimen_id         cell
--   sweep_number        number of the sweep in its recording
--   stimulus_name       kind of stimulus: Long Square, Ramp, Noise 1 ...
--   num_spikes          spikes the producer counted; NULL stands for none
with listed as (
    select m.neuronal_model_id, a.specimen_id, a.sweep_number, a.stimulus_name, a.num_spikes
    from models.neuronal_models as m
    join icephys.api_sweeps as a on a.specimen_id = m.specimen_id
),
included as (
    select s.*, dense_rank() over (partition by s.neuronal_model_id order by s.is_listed) as rank
    from models.model_record_sweeps as s
    where s.neuronal_model_id not in (select l.neuronal_model_id from listed as l)
)
select l.neuronal_model_id, l.specimen_id, l.sweep_number, l.stimulus_name, l.num_spikes
from listed as l
union all
select i.neuronal_model_id, i.specimen_id, i.sweep_number, i.stimulus_name, i.num_spikes
from included as i
where i.rank = 1
