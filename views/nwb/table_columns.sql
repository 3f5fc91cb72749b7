-- one column of a DynamicTable of an NWB file
-- spec: NWB core, DynamicTable
--   file_id        NWB file
--   path           the table
--   column_name    column
--   type           its type
--   description    description in the file
with columns as (
    select
        t.file_id,
        t.path,
        unnest(t.columns::json[]) as declared
    from nwb.tables as t
)
select
    c.file_id,
    c.path,
    c.declared->>'name' as column_name,
    c.declared->>'type' as type,
    c.declared->>'description' as description
from columns as c
