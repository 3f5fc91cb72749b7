-- a cell's published electrophysiology features beside those of its reconstruction; two reconstructions give two rows
-- spec: cell_types 5, CT-052
-- sdk: CellTypesCache.get_all_features
-- macro: icephys.all_features(require_reconstruction := true, one_reconstruction := false)
--   require_reconstruction   only cells that have both; otherwise whatever there is
--   one_reconstruction       of several reconstructions of a cell only the newest that is not superseded
with reconstructions as (
    select m.*
    from morphology.published_features as m
    qualify not one_reconstruction
        or row_number() over (
            partition by m.specimen_id
            order by coalesce(m.superseded, false), m.reconstruction_id desc
        ) = 1
)
select
    coalesce(e.specimen_id, m.specimen_id) as specimen_id,
    e.* exclude (specimen_id, extra, source),
    m.* exclude (specimen_id, extra, source)
from icephys.published_ephys_features as e
full join reconstructions as m on m.specimen_id = e.specimen_id
where not require_reconstruction
    or (e.specimen_id is not null and m.specimen_id is not null)
