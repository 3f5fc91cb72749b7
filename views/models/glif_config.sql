-- the configuration of one GLIF model
-- spec: cell_types 5, CT-031
-- sdk: GlifApi.get_neuron_config
-- macro: models.glif_config(model)
--   model   model
with asked as (
    select models.require_model(model) as is_here
)
select
    model::bigint as neuronal_model_id,
    g.specimen_id,
    coalesce(g.config_json, error('absent: model ' || model || ' is no GLIF model')) as config_json
from asked as a
left join models.glif_models as g on g.neuronal_model_id = model::bigint
where a.is_here
