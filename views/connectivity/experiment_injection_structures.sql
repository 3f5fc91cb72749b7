-- one structure that an experiment's injection reached
-- spec: connectivity 3.4, EXP-01
--   experiment_id       experiment
--   structure_id        structure
--   structure_acronym   acronym of the structure
--   ordinal             place in the list, from 0
--   is_primary          it is the structure that was chiefly injected
with listed as (
    select
        e.experiment_id,
        e.structure_id as chief_id,
        unnest(e.injection_structure_ids) as structure_id,
        generate_subscripts(e.injection_structure_ids, 1) - 1 as ordinal
    from connectivity.experiments as e
)
select
    l.experiment_id,
    l.structure_id,
    s.acronym as structure_acronym,
    l.ordinal,
    l.structure_id = l.chief_id as is_primary
from listed as l
left join ccf.structures as s on s.structure_id = l.structure_id
