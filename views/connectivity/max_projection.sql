-- one pixel of a grid of an experiment seen along an axis: the highest value behind it; pixels of 0 are in no row
-- spec: connectivity Q18, P4
-- sdk: max_projection
-- macro: connectivity.max_projection(experiment, of_measure := 'projection_density', along := 'ap', at_grid_um := 100)
--   experiment     experiment
--   of_measure     what was measured
--   along          ap (seen from the front), dv (from above) or ml (from the side)
--   at_grid_um     edge of a voxel (um)
--   image_row      index along dv, or along ap where seen from above
--   image_column   index along ml, or along ap where seen from the side
--   row_um         position of the row (um)
--   column_um      position of the column (um)
--   voxel_value    highest value
select
    case along when 'dv' then x.ap_index else x.dv_index end as image_row,
    case along when 'ml' then x.ap_index else x.ml_index end as image_column,
    image_row * at_grid_um::double as row_um,
    image_column * at_grid_um::double as column_um,
    max(x.voxel_value) as voxel_value
from connectivity.grid_voxels as x
where x.experiment_id = connectivity.require_grid(experiment, of_measure, at_grid_um)
    and x.measure = of_measure
    and x.grid_um = at_grid_um::integer
    and case
        when along in ('ap', 'dv', 'ml') then true
        else error('connectivity.max_projection: along is ap, dv or ml, not ' || along)
    end
group by image_row, image_column
