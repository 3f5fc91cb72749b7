-- one experiment injected in given structures
-- spec: connectivity SRCH-01, CON-026
-- sdk: MouseConnectivityApi.experiment_source_search
-- macro: connectivity.search_source(injection, lines := null, primary_structure_only := false, injection_side := null, products := null, start_row := 0, num_rows := 2000)
--   injection                id or acronym, or a list of them, what is part of them included
--   lines                    one or a list of names of transgenic lines, 0 for wild types; NULL: all
--   primary_structure_only   true: the chief structure of the injection counts alone; false: all that it reached
--   injection_side           left or right of the midline, 5,700 um; NULL: either
--   products                 one or a list of product ids; NULL: all
--   start_row                so many are left out, in the order of ids
--   num_rows                 so many at most
--   experiment_id            experiment
--   specimen_name            name of the animal
--   transgenic_line          transgenic line; NULL for a wild type
--   structure_id             structure that was chiefly injected
--   structure_acronym        acronym of that structure
--   injection_volume_mm3     volume that was injected (mm3)
--   ap_um                    centre of the injection along ap (um)
--   dv_um                    centre of the injection along dv (um)
--   ml_um                    centre of the injection along ml (um)
select
    e.experiment_id,
    e.specimen_name,
    e.transgenic_line,
    e.structure_id,
    e.structure_acronym,
    e.injection_volume_mm3,
    e.ap_um,
    e.dv_um,
    e.ml_um
from connectivity.find_experiments(injection := injection, reached := not primary_structure_only, products := products) as e
where connectivity.line_matches(e.transgenic_line, lines)
    and (injection_side is null or injection_side = case when e.ml_um < 5700 then 'left' else 'right' end)
order by e.experiment_id
limit num_rows offset start_row
