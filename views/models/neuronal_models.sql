-- one model of a cell: of the API's records, or a configuration or fit that no record tells of
-- spec: cell_types 2.1, 3.5, CT-030, CT-033
-- sdk: GlifApi.get_neuronal_models, GlifApi.get_neuronal_models_by_id, GlifApi.list_neuronal_models, GlifApi.get_neuronal_model, BiophysicalApi.get_neuronal_models
-- The record of one model goes before a list of models; a file alone tells its kind and, sometimes, its cell.
--   neuronal_model_id              model, as the API numbers it; made where nothing tells
--   specimen_id                    cell
--   neuronal_model_template_id     kind of model
--   neuronal_model_template_name   its name
--   neuronal_model_name            name of the model
--   reconstruction_id              reconstruction it is built on
--   glif_level                     GLIF level 1 to 5; NULL for compartmental models
--   is_recorded                    the API's record of it is here
--   has_parameters                 its configuration or fit is here
with ranked as (
    select r.*, row_number() over (partition by r.neuronal_model_id order by r.is_listed) as rank
    from models.model_records as r
),
files as (
    select g.neuronal_model_id, g.specimen_id, g.glif_level, null as model_type
    from models.glif_configs as g
    union all
    select b.neuronal_model_id, null, null, any_value(b.model_type)
    from models.biophysical_models as b
    group by b.neuronal_model_id
),
joined as (
    select
        coalesce(r.neuronal_model_id, f.neuronal_model_id) as neuronal_model_id,
        coalesce(r.specimen_id, f.specimen_id) as specimen_id,
        r.neuronal_model_template_id,
        r.neuronal_model_name,
        r.reconstruction_id,
        f.glif_level,
        f.model_type,
        r.neuronal_model_id is not null as is_recorded,
        f.neuronal_model_id is not null as has_parameters
    from (select ranked.* from ranked where ranked.rank = 1) as r
    full join files as f on f.neuronal_model_id = r.neuronal_model_id
)
select
    j.neuronal_model_id,
    j.specimen_id,
    t.neuronal_model_template_id,
    t.neuronal_model_template_name,
    j.neuronal_model_name,
    j.reconstruction_id,
    coalesce(j.glif_level, t.glif_level) as glif_level,
    j.is_recorded,
    j.has_parameters
from joined as j
left join models.templates as t
    on t.neuronal_model_template_id = j.neuronal_model_template_id
    or (j.neuronal_model_template_id is null and t.glif_level = j.glif_level)
    or (j.neuronal_model_template_id is null and t.neuronal_model_template_name = j.model_type)
