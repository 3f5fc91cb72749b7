-- one file of the warehouse that belongs to a cell, and the path below the API's address that downloads it
-- spec: cell_types 2.1, CT-028
-- sdk: CellTypesApi.save_ephys_data, CellTypesApi.save_reconstruction, CellTypesApi.save_reconstruction_markers
--   file_type       name of the kind: NWBDownload, 3DNeuronReconstruction ...
--   url             where the file is
with linked as (
    select
        f.specimen_id,
        f.well_known_file_id,
        coalesce(f.file_type, k.file_type) as file_type,
        f.download_link
    from icephys.api_well_known_files as f
    left join icephys.well_known_file_types as k on k.well_known_file_type_id = f.well_known_file_type_id
),
detailed as (
    select
        d.specimen_id,
        unnest([
            {'file_type': 'NWBDownload', 'path': '/api/v2/well_known_file_download/' || d.ephys_file_id},
            {'file_type': '3DNeuronReconstruction',
             'path': '/api/v2/well_known_file_download/' || d.reconstruction_file_id},
            {'file_type': 'MorphologyThumbnail', 'path': d.morphology_thumbnail_path},
            {'file_type': 'EphysSummaryThumbnail', 'path': d.ephys_thumbnail_path},
            {'file_type': 'EphysInstantaneousThresholdThumbnail', 'path': d.threshold_thumbnail_path}
        ]) as file
    from icephys.specimen_details as d
),
told as (
    select
        d.specimen_id,
        try_cast(regexp_extract(d.file.path, '(\d+)$', 1) as bigint) as well_known_file_id,
        d.file.file_type as file_type,
        d.file.path as download_link
    from detailed as d
    where d.file.path is not null
)
select
    l.specimen_id,
    l.well_known_file_id,
    l.file_type,
    l.download_link,
    'http://api.brain-map.org' || l.download_link as url
from linked as l
union all
select
    t.specimen_id,
    t.well_known_file_id,
    t.file_type,
    t.download_link,
    'http://api.brain-map.org' || t.download_link
from told as t
anti join linked as l on l.well_known_file_id = t.well_known_file_id
