-- one of the structures that an experiment projects to most, the strongest first
-- spec: connectivity EXP-05, CON-046, Q4, P3
-- sdk: MouseConnectivityCache.rank_structures
-- macro: connectivity.rank_structures(experiments, wanted := null, hemispheres := [1, 2], injected := false, of_measure := 'normalized_projection_volume', n := 5, above := 0.01)
--   experiments     experiment or a list of them
--   wanted          id, acronym or name of structures, or a list of them; NULL: the summary structures
--   hemispheres     one or a list of hemispheres: 1 left, 2 right, 3 both
--   injected        true: within the injection; false: outside of it
--   of_measure      normalized_projection_volume, projection_volume, projection_density or projection_energy
--   n               so many of each experiment
--   above           the measure is more than this
--   experiment_id   experiment, in the order asked
--   place           1 for the strongest; ties in the order of structure ids
--   structure_id    structure
--   acronym         acronym
--   hemisphere_id   1 left, 2 right, 3 both
--   ranked_value    the measure
with _rows as (
    select r.experiment_id, r.asked
    from unnest(lake.id_list(experiments)) with ordinality as r(experiment_id, asked)
),
_targets as (
    select f.structure_id, f.acronym
    from ccf.find_structures(wanted) as f
    union all
    select s.structure_id, s.acronym
    from ccf.structures_in_set([167587189]) as s
    where wanted is null
),
_found as (
    select
        r.asked,
        u.experiment_id,
        u.structure_id,
        t.acronym,
        u.hemisphere_id,
        case of_measure
            when 'normalized_projection_volume' then u.normalized_projection_volume
            when 'projection_volume' then u.projection_volume_mm3
            when 'projection_density' then u.projection_density
            when 'projection_energy' then u.projection_energy
            else error('connectivity.rank_structures: ' || of_measure || ' is no measure to rank by')
        end as ranked_value
    from connectivity.published_unionizes as u
    join _rows as r on r.experiment_id = u.experiment_id
    join _targets as t on t.structure_id = u.structure_id
    where u.is_injection = injected
        and list_contains(lake.id_list(hemispheres), u.hemisphere_id)
),
_ranked as (
    select
        f.*,
        row_number() over (
            partition by f.asked order by f.ranked_value desc, f.structure_id, f.hemisphere_id
        ) as place
    from _found as f
    where f.ranked_value > above::double
)
select r.experiment_id, r.place, r.structure_id, r.acronym, r.hemisphere_id, r.ranked_value
from _ranked as r
where r.place <= n
order by r.asked, r.place
