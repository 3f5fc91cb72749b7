-- one entry of a section of several description files taken together: lists go one after the other
-- spec: cell_types MD-2, CT-012, CT-151
-- sdk: Description.unpack, Config.load
-- macro: models.merged_descriptions(files)
--   files            relation (description_id, file_index): which files, in which order
--   section          section; that of the manifest is kept apart (is_reserved)
--   entry_index      position in the merged section, from 0
--   entry_json       the entry, as JSON
--   description_id   file it comes from
--   is_reserved      it belongs to the manifest, not to the description
select
    d.section,
    row_number() over (partition by d.section order by f.file_index, d.entry_index) - 1 as entry_index,
    d.entry_json,
    d.description_id,
    d.section = 'manifest' as is_reserved
from query_table(files) as f
join models.descriptions as d on d.description_id = f.description_id
