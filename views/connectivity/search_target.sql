-- one experiment that projects to given structures, the strongest first
-- spec: connectivity SRCH-02, CON-026, Q10
-- sdk: MouseConnectivityApi.experiment_target_search
-- macro: connectivity.search_target(targets, injection := null, target_hemisphere := 3, lines := null, primary_structure_only := false, products := null, start_row := 0, num_rows := 2000)
--   targets                  id or acronym, or a list of them; one that is part of another counts with it
--   injection                id or acronym of injected structures, or a list of them; NULL: anywhere
--   target_hemisphere        1 left, 2 right, 3 both
--   lines                    one or a list of names of transgenic lines, 0 for wild types; NULL: all
--   primary_structure_only   true: the chief structure of the injection counts alone; false: all that it reached
--   products                 one or a list of product ids; NULL: all
--   start_row                so many are left out
--   num_rows                 so many at most
--   experiment_id            experiment
--   specimen_name            name of the animal
--   transgenic_line          transgenic line; NULL for a wild type
--   structure_id             structure that was chiefly injected
--   structure_acronym        acronym of that structure
--   injection_volume_mm3     volume that was injected (mm3)
--   target_volume_mm3        volume of signal in the targets, outside of the injection (mm3)
with _asked as (
    select f.structure_id from ccf.find_structures(targets) as f
),
_targets as (
    select distinct a.structure_id
    from _asked as a
    where not exists (
        select 1
        from ccf.structure_closure as c
        join _asked as o on o.structure_id = c.ancestor_id
        where c.descendant_id = a.structure_id
            and c.steps > 0
    )
),
_signals as (
    select u.experiment_id, sum(u.projection_volume_mm3) as target_volume_mm3
    from connectivity.published_unionizes as u
    join _targets as t on t.structure_id = u.structure_id
    where not u.is_injection
        and u.hemisphere_id = target_hemisphere::integer
    group by u.experiment_id
)
select
    e.experiment_id,
    e.specimen_name,
    e.transgenic_line,
    e.structure_id,
    e.structure_acronym,
    e.injection_volume_mm3,
    s.target_volume_mm3
from connectivity.find_experiments(injection := injection, reached := not primary_structure_only, products := products) as e
join _signals as s on s.experiment_id = e.experiment_id
where s.target_volume_mm3 > 0
    and connectivity.line_matches(e.transgenic_line, lines)
order by s.target_volume_mm3 desc, e.experiment_id
limit num_rows offset start_row
