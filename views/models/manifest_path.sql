-- the path that one key of a manifest stands for, with its placeholders filled
-- spec: cell_types MD-5, CT-013
-- sdk: Manifest.get_path
-- macro: models.manifest_path(manifest, wanted, arguments := [])
--   manifest    manifest
--   wanted      key
--   arguments   values of the placeholders, in order, as texts
--   resolved_path   path from the manifest's folder
select
    coalesce(
        any_value(fill_placeholders(p.resolved_path, arguments::varchar[])) filter (where not p.is_unresolved),
        error('unknown: manifest ' || manifest || ' has no key ' || wanted || ', or not all of its parents')
    ) as resolved_path
from models.manifest_paths as p
where p.description_id = manifest::bigint
    and p.entry_key = wanted
