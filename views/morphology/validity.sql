-- whether programs that read SWC files take one reconstruction, and why not
-- spec: cell_types 3.4, MO-4, MO-5, CT-078, CT-187
-- sdk: morphology.validate_swc.validate_swc, internal.morphology.validate_swc.validate_swc
-- partition: morphology_id
--   morphology_id       reconstruction
--   specimen_id         the cell; NULL where nothing tells it
--   kind                raw, or what was done to the tree
--   is_valid_public     the SDK's strict reader and NEURON take it
--   is_valid_internal   the feature pipeline takes it
--   messages            every broken rule in words, warnings too
with found as (
    select
        v.morphology_id,
        bool_or(v.rule_set = 'public' and v.severity = 'error') as fails_public,
        bool_or(v.rule_set = 'internal' and v.severity = 'error') as fails_internal,
        list_sort(list(v.rule_set || ': ' || v.message)) as messages
    from morphology.validation as v
    group by v.morphology_id
)
select
    r.morphology_id,
    r.specimen_id,
    r.kind,
    not coalesce(f.fails_public, false) as is_valid_public,
    not coalesce(f.fails_internal, false) as is_valid_internal,
    coalesce(f.messages, []) as messages
from morphology.reconstructions as r
left join found as f on f.morphology_id = r.morphology_id
