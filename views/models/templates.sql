-- one kind of model of the Cell Types Database
-- spec: cell_types 2.1, CT-029
-- sdk: GlifApi.get_neuronal_model_templates, BiophysicalApi.get_neuronal_models
-- The seven that the API has are always here; others where records of models name them.
--   neuronal_model_template_id            kind of model
--   neuronal_model_template_name          its name
--   neuronal_model_template_description   what the API's record says of it
--   glif_level                            GLIF level 1 to 5; NULL for compartmental models
--   is_biophysical                        a compartmental model
--   n_models                              models of this kind in the lake's records
with known(neuronal_model_template_id, neuronal_model_template_name, glif_level) as (
    values
        (395310469, '1 Leaky Integrate and Fire (LIF)', 1),
        (395310479, '2 LIF + Reset Rules (LIF-R)', 2),
        (395310475, '3 LIF + Afterspike Currents (LIF-ASC)', 3),
        (471355161, '4 LIF-R + Afterspike Currents (LIF-R-ASC)', 4),
        (395310498, '5 LIF-R-ASC + Threshold Adaptation (LIF-R-ASC-A)', 5),
        (329230710, 'Biophysical - perisomatic', null),
        (491455321, 'Biophysical - all active', null)
),
recorded as (
    select
        r.neuronal_model_template_id,
        any_value(r.neuronal_model_template_name) as neuronal_model_template_name,
        any_value(r.neuronal_model_template_description) as neuronal_model_template_description,
        count(distinct r.neuronal_model_id) as n_models
    from models.model_records as r
    where r.neuronal_model_template_id is not null
    group by r.neuronal_model_template_id
)
select
    coalesce(k.neuronal_model_template_id, r.neuronal_model_template_id)::bigint as neuronal_model_template_id,
    coalesce(k.neuronal_model_template_name, r.neuronal_model_template_name) as neuronal_model_template_name,
    r.neuronal_model_template_description,
    k.glif_level::tinyint as glif_level,
    k.neuronal_model_template_id in (329230710, 491455321) as is_biophysical,
    coalesce(r.n_models, 0) as n_models
from known as k
full join recorded as r on r.neuronal_model_template_id = k.neuronal_model_template_id
