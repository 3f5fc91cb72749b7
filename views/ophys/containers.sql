-- one experiment container of the Brain Observatory: a field of cells that was imaged in several sessions
-- spec: api C-BO2, C-BO6
-- sdk: BrainObservatoryApi.get_experiment_containers, BrainObservatoryApi.simplify_experiment_containers
--   experiment_container_id   container
--   imaging_depth_um          depth below the pia (um)
--   targeted_structure_id     structure that was imaged
--   targeted_structure        its acronym
--   cre_line                  first driver line of the animal with Cre in its name
--   reporter_line             first reporter line of the animal
--   transgenic_lines          names of all lines of the animal
--   donor_name                name of the animal, as others call it
--   specimen_id               specimen
--   specimen_name             its name
--   tags                      conditions that were noted of the animal
--   is_failed                 it failed the control of quality
select
    c.id as experiment_container_id,
    c.imaging_depth as imaging_depth_um,
    c.targeted_structure_id,
    coalesce(s.acronym, t.acronym) as targeted_structure,
    a.cre_line,
    a.reporter_line,
    coalesce(a.transgenic_lines, []) as transgenic_lines,
    a.donor_name,
    c.specimen_id,
    a.specimen_name,
    coalesce(a.tags, []) as tags,
    coalesce(c.failed, false) as is_failed
from rma.experiment_containers as c
left join ophys.imaged_animals as a on a.specimen_id = c.specimen_id
left join ccf.structures as s on s.structure_id = c.targeted_structure_id
left join (
    select r.id, max(r.acronym) as acronym from rma.answered_structures as r group by r.id
) as t on t.id = c.targeted_structure_id
