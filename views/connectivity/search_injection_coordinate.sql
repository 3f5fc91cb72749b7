-- one experiment, the nearest injection to a point first
-- spec: connectivity SRCH-04, CON-025, Q8
-- sdk: MouseConnectivityApi.experiment_injection_coordinate_search
-- macro: connectivity.search_injection_coordinate(seed, injection := null, lines := null, products := null, start_row := 0, num_rows := 2000)
--   seed                   point: a list of its positions along ap, dv and ml (um)
--   injection              id or acronym of injected structures, or a list of them; NULL: anywhere
--   lines                  one or a list of names of transgenic lines, 0 for wild types; NULL: all
--   products               one or a list of product ids; NULL: all
--   start_row              so many are left out
--   num_rows               so many at most
--   experiment_id          experiment
--   transgenic_line        transgenic line; NULL for a wild type
--   structure_id           structure that was chiefly injected
--   structure_acronym      acronym of that structure
--   injection_volume_mm3   volume that was injected (mm3)
--   ap_um                  centre of the injection along ap (um)
--   dv_um                  centre of the injection along dv (um)
--   ml_um                  centre of the injection along ml (um)
--   distance_um            from the point to that centre (um)
select
    e.experiment_id,
    e.transgenic_line,
    e.structure_id,
    e.structure_acronym,
    e.injection_volume_mm3,
    e.ap_um,
    e.dv_um,
    e.ml_um,
    sqrt((e.ap_um - seed[1]) ** 2 + (e.dv_um - seed[2]) ** 2 + (e.ml_um - seed[3]) ** 2) as distance_um
from connectivity.find_experiments(injection := injection, reached := true, products := products) as e
where connectivity.line_matches(e.transgenic_line, lines)
    and e.ap_um is not null
order by distance_um, e.experiment_id
limit num_rows offset start_row
