-- one structure of a list that others of the list are part of, so that both together count voxels twice
-- spec: connectivity ONT-07
-- sdk: StructureTree.has_overlaps
-- macro: ccf.overlapping(wanted, of_graph := 1)
--   wanted         id, acronym or name, or a list of them; raises for one that nobody knows
--   of_graph       structure graph they are of
--   structure_id   structure
--   acronym        acronym
select distinct a.structure_id, a.acronym
from ccf.find_structures(wanted, of_graph := of_graph) as f
join ccf.structure_closure as c on c.descendant_id = f.structure_id and c.steps > 0
join ccf.find_structures(wanted, of_graph := of_graph) as a on a.structure_id = c.ancestor_id
