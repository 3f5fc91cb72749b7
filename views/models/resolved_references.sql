-- one value of a description that names a key of its manifest, and the path it stands for
-- spec: cell_types MD-5
-- sdk: Manifest.resolve_paths
-- Values of members whose name ends in _key are keys.
--   description_id   description file, with its manifest
--   section          section
--   entry_index      position in the section, from 0
--   member           name of the member without _key
--   entry_key        key of the manifest
--   resolved_path    path from the manifest's folder; NULL where the manifest has no such key
with members as (
    select d.description_id, d.section, d.entry_index, e.key as member, e.value ->> '$' as entry_key
    from models.descriptions as d,
        json_each(d.entry_json) as e
    where d.section <> 'manifest'
        and e.key like '%\_key' escape '\'
        and e.type = 'VARCHAR'
)
select
    m.description_id,
    m.section,
    m.entry_index,
    regexp_replace(m.member, '_key$', '') as member,
    m.entry_key,
    p.resolved_path
from members as m
left join models.manifest_paths as p
    on p.description_id = m.description_id
    and p.entry_key = m.entry_key
    and not p.is_unresolved
