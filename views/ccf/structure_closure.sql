-- one structure with one of those it is part of, itself among them
-- spec: connectivity 3.1, ONT-05
-- sdk: SimpleTree.ancestor_ids, SimpleTree.descendant_ids, StructureTree.get_ancestor_id_map
-- kept: for look-ups of structures, which nearly every question makes
--   ancestor_id     structure above, or the same
--   descendant_id   structure below, or the same
--   steps           edges between them; 0 for the same
--   graph_id        structure graph
select
    unnest(s.structure_id_path) as ancestor_id,
    s.structure_id as descendant_id,
    unnest(range(len(s.structure_id_path) - 1, -1, -1))::integer as steps,
    s.graph_id
from ccf.structures as s
