-- one structure of a structure set, in the order of the graph
-- spec: connectivity ONT-06, CON-031
-- sdk: StructureTree.get_structures_by_set_id, OntologiesApi.get_structures
-- macro: ccf.structures_in_set(set_ids)
--   set_ids             one or a list of structure sets; the summary structures are set 167587189
--   structure_id        structure, once whatever sets it is in
--   acronym             acronym
--   name                full name
--   structure_id_path   structures from the root down to this one
--   rgb                 colour: red, green, blue, 0-255
--   graph_order         place in the order of the graph
select s.structure_id, s.acronym, s.name, s.structure_id_path, s.rgb, s.graph_order
from ccf.structures as s
where s.structure_id in (
    select m.structure_id
    from ccf.structure_set_members as m
    where list_contains(lake.id_list(set_ids), m.structure_set_id)
)
order by s.graph_order
