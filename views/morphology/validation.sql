-- one rule of programs that read SWC files, which a reconstruction breaks
-- spec: cell_types MO-2, MO-4, MO-5, CT-078, CT-187
-- sdk: morphology.validate_swc.validate_swc, internal.morphology.validate_swc.validate_swc
-- partition: morphology_id
--   morphology_id   reconstruction
--   specimen_id     the cell; NULL where nothing tells it
--   rule_set        public: the SDK's reader and NEURON; internal: the feature pipeline; values: numbers no cell has
--   rule            name of the rule
--   severity        error: the program refuses the file; warning
--   original_id     the file's id of the first node that breaks it
--   message         what is wrong
with checked as (
    select
        r.morphology_id,
        r.specimen_id,
        unnest(
            check_nodes(s.swc_ids, s.swc_types, s.swc_x, s.swc_y, s.swc_z, s.swc_radii, s.swc_parents)
        ) as finding
    from morphology.reconstructions as r
    join morphology.swc_nodes as s on s.morphology_id = r.morphology_id
)
select
    c.morphology_id,
    c.specimen_id,
    c.finding.rule_set,
    c.finding.rule,
    c.finding.severity,
    c.finding.original_id,
    c.finding.message
from checked as c
union all
select
    r.morphology_id,
    r.specimen_id,
    'public',
    'one_blank_between_fields',
    'error',
    null,
    r.strict_complaint
from morphology.reconstructions as r
where not r.is_strict
