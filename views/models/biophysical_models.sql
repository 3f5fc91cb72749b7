-- one fitted compartmental model
-- spec: cell_types 2.6, 3.5, CT-158
-- sdk: BiophysicalApi.cache_data
-- A fit tells no id: it is that of the one record that names its file, else the one its own name tells, else made.
--   neuronal_model_id   model, as the API numbers it; made where nothing tells
--   id_source           what tells it: record, name or content
--   model_type          perisomatic or all active, as the template or the one manifest that names the file says
with recorded as (
    select
        f.file_name,
        any_value(f.neuronal_model_id) as neuronal_model_id,
        any_value(r.specimen_id) as specimen_id,
        any_value(r.neuronal_model_template_name) as model_type
    from models.model_record_files as f
    left join models.model_records as r
        on r.neuronal_model_id = f.neuronal_model_id
        and r.is_listed = f.is_listed
    where f.owner_type = 'NeuronalModel'
    group by f.file_name
    having count(distinct f.neuronal_model_id) = 1
),
described as (
    select
        named.source_name,
        any_value(named.model_type) as model_type
    from (
        select d.description_id, d.model_type, unnest(d.model_files) as source_name
        from models.description_files as d
    ) as named
    group by named.source_name
    having count(distinct named.description_id) = 1
)
select
    coalesce(r.neuronal_model_id, f.named_model_id, f.biophysical_fit_id) as neuronal_model_id,
    case
        when r.neuronal_model_id is not null then 'record'
        when f.named_model_id is not null then 'name'
        else 'content'
    end as id_source,
    r.specimen_id,
    coalesce(r.model_type, d.model_type) as model_type,
    f.biophysical_fit_id,
    f.ra,
    f.e_pas_mv,
    f.junction_potential_mv,
    f.celsius,
    f.v_init_mv,
    f.fit_sweeps,
    f.axon_morph_json,
    f.fit_json,
    f.source_name
from models.biophysical_fits as f
left join recorded as r on r.file_name = f.source_name
left join described as d on d.source_name = f.source_name
