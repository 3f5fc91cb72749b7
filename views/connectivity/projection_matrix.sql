-- one cell of a matrix of experiments by targets; every pair is there, NULL where there is no unionize
-- spec: connectivity EXP-06, CON-045, Q5, P2
-- sdk: MouseConnectivityCache.get_projection_matrix
-- macro: connectivity.projection_matrix(experiments, wanted := null, hemispheres := null, of_measure := 'projection_volume')
--   experiments     experiment or a list of them: the rows, in this order
--   wanted          id, acronym or name of structures, or a list of them; NULL: the summary structures in the order of the graph
--   hemispheres     one or a list of hemispheres: 1 left, 2 right, 3 both; NULL: all that occur
--   of_measure      projection_volume, projection_density, projection_energy, projection_intensity, normalized_projection_volume, volume, sum_pixels, sum_projection_pixels or max_voxel_density
--   matrix_row      row, from 0
--   matrix_column   column, from 0: hemispheres one after the other, in each the structures in their order
--   experiment_id   experiment
--   structure_id    target
--   hemisphere_id   1 left, 2 right, 3 both
--   target          acronym of the target, with -L or -R for one hemisphere
--   matrix_value    the measure, outside of the injection
with _rows as (
    select r.experiment_id, r.place - 1 as matrix_row
    from unnest(lake.id_list(experiments)) with ordinality as r(experiment_id, place)
),
_targets as (
    select f.structure_id, f.acronym, f.wanted_index as place
    from ccf.find_structures(wanted) as f
    union all
    select s.structure_id, s.acronym, row_number() over (order by s.graph_order) - 1 as place
    from ccf.structures_in_set([167587189]) as s
    where wanted is null
),
_found as (
    select
        u.experiment_id,
        u.structure_id,
        u.hemisphere_id,
        -- one of these: the others are never read
        case of_measure
            when 'projection_volume' then u.projection_volume_mm3
            when 'projection_density' then u.projection_density
            when 'projection_energy' then u.projection_energy
            when 'projection_intensity' then u.projection_intensity
            when 'normalized_projection_volume' then u.normalized_projection_volume
            when 'volume' then u.volume_mm3
            when 'sum_pixels' then u.sum_pixels
            when 'sum_projection_pixels' then u.sum_projection_pixels
            when 'max_voxel_density' then u.max_voxel_density
            else error('connectivity.projection_matrix: ' || of_measure || ' is no measure of unionizes')
        end as matrix_value
    from connectivity.published_unionizes as u
    where not u.is_injection
        and u.experiment_id in (select r.experiment_id from _rows as r)
        and u.structure_id in (select t.structure_id from _targets as t)
        and (hemispheres is null or list_contains(lake.id_list(hemispheres), u.hemisphere_id))
),
_sides as (
    select distinct f.hemisphere_id from _found as f
),
_columns as (
    select
        h.hemisphere_id,
        t.structure_id,
        t.acronym || case h.hemisphere_id when 1 then '-L' when 2 then '-R' else '' end as target,
        row_number() over (order by h.hemisphere_id, t.place) - 1 as matrix_column
    from _sides as h
    cross join _targets as t
)
select
    r.matrix_row,
    c.matrix_column,
    r.experiment_id,
    c.structure_id,
    c.hemisphere_id,
    c.target,
    f.matrix_value
from _rows as r
cross join _columns as c
left join _found as f
    on f.experiment_id = r.experiment_id
    and f.structure_id = c.structure_id
    and f.hemisphere_id = c.hemisphere_id
