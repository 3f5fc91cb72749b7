-- a file of a cell and where it is; asking for a kind that the cell does not have is an error
-- spec: cell_types 2.1, CT-028
-- sdk: CellTypesApi.save_ephys_data, CellTypesApi.save_reconstruction, CellTypesApi.save_reconstruction_markers
-- macro: icephys.get_cell_file(specimen, kind := 'NWBDownload')
--   specimen   cell
--   kind       NWBDownload, 3DNeuronReconstruction, 3DNeuronMarker, or another of icephys.well_known_file_types
with found as (
    select f.*
    from icephys.cell_files as f
    where f.specimen_id = specimen::bigint
        and f.file_type = kind
),
counted as (
    select count(*) as n
    from found
)
select
    f.specimen_id,
    f.well_known_file_id,
    f.file_type,
    f.download_link,
    f.url
from counted as c
left join found as f on true
where case
        when c.n > 0 then true
        when not lake.require_specimen(specimen) then false
        else error('absent: cell ' || specimen || ' has no ' || kind || ' that this lake knows of: '
            || '`from icephys.cell_files` lists what there is')
    end
