-- one evaluation of a model against its cell's recording
-- spec: cell_types 2.1, 3.5
-- sdk: GlifApi.get_neuronal_models
--   neuronal_model_id          model
--   specimen_id                cell
--   run_index                  position among the model's runs, from 0
--   neuronal_model_run_id      the API's id of the run
--   rheobase_feature_average   mean error of features at rheobase, in deviations (1)
--   explained_variance_ratio   of the spikes in noise, over what the cell repeats (1)
with ranked as (
    select r.*, dense_rank() over (partition by r.neuronal_model_id order by r.is_listed) as rank
    from models.model_record_runs as r
)
select
    r.neuronal_model_id,
    m.specimen_id,
    r.run_index,
    r.neuronal_model_run_id,
    r.rheobase_feature_average,
    r.explained_variance_ratio
from ranked as r
left join models.neuronal_models as m on m.neuronal_model_id = r.neuronal_model_id
where r.rank = 1
