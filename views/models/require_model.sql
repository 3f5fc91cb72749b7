-- true where a model is known and its parameters are in the lake; raises otherwise, saying what brings them
-- function: models.require_model(model)
--   model   model that a question asks for; NULL asks for none
case
    when model is null or exists (
        select 1
        from models.neuronal_models as m
        where m.neuronal_model_id = model::bigint and m.has_parameters
    ) then true
    when exists (select 1 from models.neuronal_models as m where m.neuronal_model_id = model::bigint)
        then error(
            'absent: model ' || model || ' is known, but its parameters are not in this lake: '
            || '`brainlake ingest FILE` of its neuron_config.json or fit brings them'
        )
    else error(
        'unknown: there is no model ' || model
        || ': `select neuronal_model_id from models.neuronal_models` lists those that are'
    )
end
