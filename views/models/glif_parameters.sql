-- one number of one rule of a GLIF model
-- spec: cell_types 3.5, CT-006
-- sdk: GlifNeuronMethod
--   neuronal_model_id   model
--   method_type         what the rule is for: voltage_reset_method ...
--   method_name         name of the rule
--   parameter_name      parameter of the rule
--   element_index       position, where the parameter is a list; else 0
--   parameter_value     its value
with methods as (
    select
        g.neuronal_model_id,
        e.key as method_type,
        e.value ->> '$.name' as method_name,
        e.value -> '$.params' as params
    from models.glif_configs as g,
        json_each(g.config_json) as e
    where e.key like '%\_method' escape '\'
        and e.type = 'OBJECT'
),
parameters as (
    select m.neuronal_model_id, m.method_type, m.method_name, p.key as parameter_name, p.value, p.type
    from methods as m,
        json_each(m.params) as p
),
elements as (
    select
        p.neuronal_model_id,
        p.method_type,
        p.method_name,
        p.parameter_name,
        unnest(
            case when p.type = 'ARRAY' then from_json(p.value, '["VARCHAR"]') else [p.value ->> '$'] end
        ) as written,
        generate_subscripts(
            case when p.type = 'ARRAY' then from_json(p.value, '["VARCHAR"]') else [p.value ->> '$'] end, 1
        ) - 1 as element_index
    from parameters as p
)
select
    e.neuronal_model_id,
    e.method_type,
    e.method_name,
    e.parameter_name,
    e.element_index::int as element_index,
    try_cast(e.written as double) as parameter_value
from elements as e
