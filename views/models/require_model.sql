-- true where a model is known and its parameters are in the lake; raises otherwise, saying what brings them
-- function: models.require_model(model)
--   model   model that a question asks for; NULL asks for none
-- One subquery of its own: as a condition beside others it is computed first, also where no row meets the others.
(
    with facts as (
        select count(*) > 0 as is_known, coalesce(bool_or(m.has_parameters), false) as has_parameters
        from models.neuronal_models as m
        where m.neuronal_model_id = model::bigint
    )
    select
        case
            when model is null or f.has_parameters then true
            when f.is_known
                then error(
                    'absent: model ' || model || ' is known, but its parameters are not in this lake: '
                    || '`brainlake ingest FILE` of its neuron_config.json or fit brings them'
                )
            else error(
                'unknown: there is no model ' || model
                || ': `select neuronal_model_id from models.neuronal_models` lists those that are'
            )
        end
    from facts as f
)
