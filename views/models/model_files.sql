-- one file of the warehouse that a model needs or comes with, and its place in the model's folder
-- spec: cell_types 5, CT-020, CT-035
-- sdk: BiophysicalApi.get_well_known_file_ids, BiophysicalApi.is_well_known_file_type, GlifApi.cache_stimulus_file
--   neuronal_model_id         model
--   specimen_id               cell
--   file_kind                 stimulus, morphology, marker, modfiles or fit; NULL for others
--   owner_type                NeuronalModel, NeuronalModelTemplate, EphysResult, NeuronReconstruction ...
--   owner_id                  the API's id of the owner
--   well_known_file_id        the API's id of the file
--   well_known_file_type_id   kind of file, as the API numbers it
--   file_type                 its name
--   bundle_path               path in the folder of the model; a recording is called by the id of its ephys result
--   download_link             path below the API's address
--   warehouse_path            path in the warehouse
with ranked as (
    select f.*, dense_rank() over (partition by f.neuronal_model_id order by f.is_listed) as rank
    from models.model_record_files as f
),
kinds as (
    select
        r.*,
        case r.well_known_file_type_id
            when 481007198 then 'stimulus'
            when 475137571 then 'stimulus'
            when 303941301 then 'morphology'
            when 486753749 then 'marker'
            when 292178729 then 'modfiles'
            when 329230374 then 'fit'
        end as file_kind
    from ranked as r
    where r.rank = 1
)
select
    k.neuronal_model_id,
    m.specimen_id,
    k.file_kind,
    k.owner_type,
    k.owner_id,
    k.well_known_file_id,
    k.well_known_file_type_id,
    k.file_type,
    case k.file_kind
        when 'stimulus' then k.owner_id || '.nwb'
        when 'modfiles' then 'modfiles/' || k.file_name
        else k.file_name
    end as bundle_path,
    k.download_link,
    k.warehouse_path
from kinds as k
left join models.neuronal_models as m on m.neuronal_model_id = k.neuronal_model_id
