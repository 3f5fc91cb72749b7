-- a cell of the Cell Types Database, with all that its record tells; an unknown one is an error
-- spec: cell_types 5, CT-023
-- sdk: CellTypesApi.get_cell
-- macro: icephys.get_cell(specimen)
--   specimen   cell
select d.*
from icephys.specimen_details as d
where d.specimen_id = specimen::bigint
    and lake.require_specimen(specimen)
