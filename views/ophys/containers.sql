-- one experiment container of the Brain Observatory: a field of cells that was imaged in several sessions
-- spec: api C-BO2, C-BO6, ophys C-02
-- sdk: BrainObservatoryApi.get_experiment_containers, BrainObservatoryApi.simplify_experiment_containers
-- Each value is as records of the API tell it, else as a list that the reference gave.
--   experiment_container_id   container
--   imaging_depth_um          depth below the pia (um)
--   targeted_structure_id     structure that was imaged; lists do not tell it
--   targeted_structure        its acronym
--   cre_line                  first driver line of the animal with Cre in its name
--   reporter_line             first reporter line of the animal
--   transgenic_lines          names of all lines of the animal; of a list only those two
--   donor_name                name of the animal, as others call it
--   specimen_id               specimen; lists do not tell it
--   specimen_name             its name
--   tags                      conditions that were noted of the animal
--   is_failed                 it failed the control of quality
--   source                    where the row comes from: api, or list where no record of the API is in the lake
select
    coalesce(c.id, l.experiment_container_id) as experiment_container_id,
    coalesce(c.imaging_depth, l.imaging_depth_um) as imaging_depth_um,
    c.targeted_structure_id,
    coalesce(s.acronym, t.acronym, l.targeted_structure) as targeted_structure,
    coalesce(a.cre_line, l.cre_line) as cre_line,
    coalesce(a.reporter_line, l.reporter_line) as reporter_line,
    coalesce(
        nullif(a.transgenic_lines, []),
        list_filter([l.cre_line, l.reporter_line], lambda x: x is not null)
    ) as transgenic_lines,
    coalesce(a.donor_name, l.donor_name) as donor_name,
    c.specimen_id,
    coalesce(a.specimen_name, l.specimen_name) as specimen_name,
    coalesce(nullif(a.tags, []), l.tags, []) as tags,
    coalesce(c.failed, l.is_failed, false) as is_failed,
    case when c.id is not null then 'api' else 'list' end as source
from rma.experiment_containers as c
full join ophys.listed_containers as l on l.experiment_container_id = c.id
left join ophys.imaged_animals as a on a.specimen_id = c.specimen_id
left join ccf.structures as s on s.structure_id = c.targeted_structure_id
left join (
    select r.id, max(r.acronym) as acronym from rma.answered_structures as r group by r.id
) as t on t.id = c.targeted_structure_id
