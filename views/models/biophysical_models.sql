-- one fitted compartmental model
-- spec: cell_types 2.6, 3.5, CT-158
-- sdk: BiophysicalApi.cache_data
-- A fit tells no id: it is that of the one record that names its file, else of the one record that came from the same
-- folder, else the one its own name tells, else made.
--   neuronal_model_id   model, as the API numbers it; made where nothing tells
--   id_source           what tells it: record, folder, name or content
--   specimen_id         cell
--   model_type          perisomatic or all active, as the template or the one manifest that names the file says
with named as (
    select f.file_name, any_value(f.neuronal_model_id) as neuronal_model_id
    from models.model_record_files as f
    where f.owner_type = 'NeuronalModel'
    group by f.file_name
    having count(distinct f.neuronal_model_id) = 1
),
folders as (
    select i.ingest_id, regexp_replace(i.source_url, '[^/]*$', '') as folder
    from lake.ingests as i
),
beside as (
    select d.folder, any_value(r.neuronal_model_id) as neuronal_model_id
    from models.model_records as r
    join folders as d on d.ingest_id = r.ingest_id
    where not r.is_listed
    group by d.folder
    having count(distinct r.neuronal_model_id) = 1
),
alone as (
    select d.folder, any_value(f.biophysical_fit_id) as biophysical_fit_id
    from models.biophysical_fits as f
    join folders as d on d.ingest_id = f.ingest_id
    group by d.folder
    having count(*) = 1
),
by_folder as (
    select a.biophysical_fit_id, b.neuronal_model_id
    from alone as a
    join beside as b on b.folder = a.folder
),
recorded as (
    select
        r.neuronal_model_id,
        any_value(r.specimen_id) as specimen_id,
        any_value(r.neuronal_model_template_name) as model_type
    from models.model_records as r
    group by r.neuronal_model_id
),
described as (
    select told.source_name, any_value(told.model_type) as model_type
    from (
        select d.description_id, d.model_type, unnest(d.model_files) as source_name
        from models.description_files as d
    ) as told
    group by told.source_name
    having count(distinct told.description_id) = 1
)
select
    coalesce(n.neuronal_model_id, b.neuronal_model_id, f.named_model_id, f.biophysical_fit_id) as neuronal_model_id,
    case
        when n.neuronal_model_id is not null then 'record'
        when b.neuronal_model_id is not null then 'folder'
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
left join named as n on n.file_name = f.source_name
left join by_folder as b on b.biophysical_fit_id = f.biophysical_fit_id
left join recorded as r
    on r.neuronal_model_id = coalesce(n.neuronal_model_id, b.neuronal_model_id, f.named_model_id)
left join described as d on d.source_name = f.source_name
