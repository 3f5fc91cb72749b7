-- one cell that passes the filters of the reference's cache
-- spec: cell_types 5, CT-022, CT-051, CT-057
-- sdk: CellTypesCache.get_cells, CellTypesApi.filter_cells_api, ReporterStatus
-- macro: icephys.cells_filtered(require_morphology := false, require_reconstruction := false, reporter_wanted := null, species_wanted := null)
--   require_morphology       only cells with a reconstruction type, as the reference has it
--   require_reconstruction   the same
--   reporter_wanted          positive, negative, or a list of them; NULL in a list stands for undetermined
--   species_wanted           Mus musculus, Homo Sapiens, or a list of them, in any case
with given as (
    select
        lake.text_list(reporter_wanted) as reporters,
        list_transform(lake.text_list(species_wanted), lambda s: lower(s)) as species_names
)
select c.*
from icephys.cells as c
cross join given as g
where (c.reconstruction_type is not null or not (require_morphology or require_reconstruction))
  and (
      len(g.reporters) = 0
      or list_contains(g.reporters, c.reporter_status)
      or (c.reporter_status is null and len(g.reporters) > list_count(g.reporters))
  )
  and (len(g.species_names) = 0 or list_contains(g.species_names, lower(c.species)))
