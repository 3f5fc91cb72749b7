-- one cell that passes the filters of the reference's older endpoint, where images and reconstructions count apart
-- spec: cell_types 5, CT-021
-- sdk: CellTypesApi.filter_cells, CellTypesApi.list_cells
-- macro: icephys.legacy_cells_filtered(require_morphology := false, require_reconstruction := false, reporter_wanted := null, species_wanted := null)
--   require_morphology       only cells with images
--   require_reconstruction   only cells with a reconstruction
--   reporter_wanted          reporter status, or a list of them; NULL in a list stands for undetermined
--   species_wanted           Mus musculus, Homo Sapiens, or a list of them, in any case
with given as (
    select
        lake.text_list(reporter_wanted) as reporters,
        list_transform(lake.text_list(species_wanted), lambda s: lower(s)) as species_names
)
select c.*
from icephys.legacy_cells as c
cross join given as g
where (c.has_morphology or not require_morphology)
  and (c.has_reconstruction or not require_reconstruction)
  and (
      len(g.reporters) = 0
      or list_contains(g.reporters, c.reporter_status)
      or (c.reporter_status is null and len(g.reporters) > list_count(g.reporters))
  )
  and (len(g.species_names) = 0 or list_contains(g.species_names, lower(c.species)))
