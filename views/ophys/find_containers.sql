-- one experiment container of the Brain Observatory that all given filters let through
-- spec: api C-BO2, D-18
-- sdk: BrainObservatoryCache.get_experiment_containers, BrainObservatoryApi.filter_experiment_containers, BrainObservatoryApi.filter_experiments_and_containers
-- macro: ophys.find_containers(ids := null, structures := null, depths_um := null, cre_lines := null, reporter_lines := null, lines := null, include_failed := false)
--   ids              one or a list of containers
--   structures       one or a list of acronyms
--   depths_um        one or a list of depths (um)
--   cre_lines        one or a list of names, in any case
--   reporter_lines   one or a list of names, in any case
--   lines            one or a list of names of which the animal has one, in any case
--   include_failed   true: also those that failed the control of quality
select
    c.experiment_container_id,
    c.imaging_depth_um,
    c.targeted_structure,
    c.cre_line,
    c.reporter_line,
    c.donor_name,
    c.specimen_name,
    c.tags,
    c.is_failed
from ophys.containers as c
where (include_failed or not c.is_failed)
    and (ids is null or list_contains(lake.id_list(ids), c.experiment_container_id))
    and (structures is null or list_contains(lake.text_list(structures), c.targeted_structure))
    and (depths_um is null or list_contains(lake.id_list(depths_um), c.imaging_depth_um))
    and (cre_lines is null or list_contains(list_transform(lake.text_list(cre_lines), lambda x: lower(x)), lower(c.cre_line)))
    and (
        reporter_lines is null
        or list_contains(list_transform(lake.text_list(reporter_lines), lambda x: lower(x)), lower(c.reporter_line))
    )
    and (
        lines is null
        or list_has_any(
            list_transform(c.transgenic_lines, lambda x: lower(x)), list_transform(lake.text_list(lines), lambda x: lower(x))
        )
    )
order by c.experiment_container_id
