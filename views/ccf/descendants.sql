-- one structure that is part of a structure, itself first, depth first in the order of the graph
-- spec: connectivity ONT-05, CON-061
-- sdk: SimpleTree.descendants, SimpleTree.descendant_ids, SimpleTree.children, SimpleTree.child_ids
-- macro: ccf.descendants(wanted, of_graph := 1)
--   wanted         id, acronym or name, or a list of them; raises for one that nobody knows
--   of_graph       structure graph they are of
--   of_structure   structure that was asked for
--   structure_id   structure that is part of it, or itself
--   acronym        acronym
--   name           full name
--   steps          edges between them; 1 are the children
select f.structure_id as of_structure, s.structure_id, s.acronym, s.name, c.steps
from ccf.find_structures(wanted, of_graph := of_graph) as f
join ccf.structure_closure as c on c.ancestor_id = f.structure_id
join ccf.structures as s on s.structure_id = c.descendant_id
order by f.wanted_index, s.graph_order
