-- one key of a manifest and the path it stands for
-- spec: cell_types MD-5, CT-013
-- sdk: Manifest.get_path, Manifest.path_info
-- Paths lie below the manifest's own folder, unless absolute: what has a parent is not, so that /work in BASEDIR is
-- BASEDIR/work. Where a key comes twice, the later entry holds.
--   description_id   manifest
--   entry_key        key
--   entry_type       file, dir, db or dir_root
--   resolved_path    path from the manifest's folder, of the parents and its own; may hold % placeholders
--   is_unresolved    a parent is missing, or parents go round in a circle
--   format           format of the file
--   required         it must exist
with recursive last_entries as (
    select
        e.*,
        row_number() over (partition by e.description_id, e.entry_key order by e.entry_index desc) as rank
    from models.manifest_entries as e
    where e.entry_key is not null
),
entries as (
    select l.description_id, l.entry_key, l.entry_type, coalesce(l.spec, '') as spec, l.parent_key, l.format, l.required
    from last_entries as l
    where l.rank = 1
),
climbed as (
    select e.description_id, e.entry_key, e.spec as path, e.parent_key as above, 0 as depth
    from entries as e
    union all
    select
        c.description_id,
        c.entry_key,
        case
            when p.spec = '' then ltrim(c.path, '/')
            when ends_with(p.spec, '/') then p.spec || ltrim(c.path, '/')
            else p.spec || '/' || ltrim(c.path, '/')
        end,
        p.parent_key,
        c.depth + 1
    from climbed as c
    join entries as p
        on p.description_id = c.description_id
        and p.entry_key = c.above
    where c.depth < 64
),
highest as (
    select
        c.description_id,
        c.entry_key,
        arg_max(c.path, c.depth) as path,
        arg_max_null(c.above, c.depth) as above,
        max(c.depth) as depth
    from climbed as c
    group by c.description_id, c.entry_key
)
select
    e.description_id,
    e.entry_key,
    e.entry_type,
    regexp_replace(regexp_replace(h.path, '//+', '/', 'g'), '(^|/)(\./)+', '\1', 'g') as resolved_path,
    h.above is not null or h.depth >= 64 as is_unresolved,
    e.format,
    e.required
from entries as e
join highest as h
    on h.description_id = e.description_id
    and h.entry_key = e.entry_key
