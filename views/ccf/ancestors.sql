-- one structure that a structure is part of, itself first, the root last
-- spec: connectivity ONT-05, CON-061
-- sdk: SimpleTree.ancestors, SimpleTree.ancestor_ids, SimpleTree.parents, SimpleTree.parent_ids
-- macro: ccf.ancestors(wanted, of_graph := 1)
--   wanted         id, acronym or name, or a list of them; raises for one that nobody knows
--   of_graph       structure graph they are of
--   of_structure   structure that was asked for
--   structure_id   structure it is part of, or itself
--   acronym        acronym
--   name           full name
--   steps          edges between them; 1 is the parent
select f.structure_id as of_structure, s.structure_id, s.acronym, s.name, c.steps
from ccf.find_structures(wanted, of_graph := of_graph) as f
join ccf.structure_closure as c on c.descendant_id = f.structure_id
join ccf.structures as s on s.structure_id = c.ancestor_id
order by f.wanted_index, c.steps
