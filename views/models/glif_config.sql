-- the configuration of one GLIF model
-- spec: cell_types 5, CT-031
-- sdk: GlifApi.get_neuron_config
-- macro: models.glif_config(model)
--   model   model
select
    g.neuronal_model_id,
    g.specimen_id,
    g.config_json
from models.glif_models as g
where g.neuronal_model_id = model::bigint
    and models.require_model(model)
