-- one sweep of a cell as the warehouse lists it, by number; NULL spikes stand for none
-- spec: cell_types 5, CT-025, CT-054
-- sdk: CellTypesApi.get_ephys_sweeps, CellTypesCache.get_ephys_sweeps
-- macro: icephys.get_ephys_sweeps(specimen)
--   specimen   cell
select s.*
from icephys.api_sweeps as s
where s.specimen_id = specimen::bigint
    and lake.require_specimen(specimen, 'sweep_list')
order by s.sweep_number
