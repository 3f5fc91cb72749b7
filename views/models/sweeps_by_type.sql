-- one kind of stimulus of a model's cell, with its sweeps; test sweeps are left out
-- spec: cell_types MD-7, CT-035, CT-039
-- sdk: BiophysicalApi.read_json
-- What a manifest's runs[0].sweeps_by_type holds; the manifests of downloads lack it, though running them needs it.
--   neuronal_model_id   model
--   specimen_id         cell
--   stimulus_name       kind of stimulus
--   sweep_numbers       its sweeps, in order
select
    s.neuronal_model_id,
    s.specimen_id,
    s.stimulus_name,
    list(s.sweep_number order by s.sweep_number) as sweep_numbers
from models.model_sweeps as s
where s.stimulus_name is not null
    and s.stimulus_name <> 'Test'
group by s.neuronal_model_id, s.specimen_id, s.stimulus_name
