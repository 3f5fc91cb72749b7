-- one structure of the adult mouse, as the reference's structure tree has it
-- spec: connectivity ONT-03, CON-032, CON-063
-- sdk: OntologiesApi.get_structures_with_sets, StructureTree.nodes, StructureTree.collect_sets
--   id                  structure
--   acronym             acronym
--   name                full name
--   graph_id            structure graph
--   graph_order         place in the order of the graph
--   rgb_triplet         colour: red, green, blue, 0-255
--   structure_id_path   structures from the root down to this one
--   structure_set_ids   structure sets it belongs to, in order
with sets as (
    select m.graph_id, m.structure_id, list(m.structure_set_id order by m.structure_set_id) as structure_set_ids
    from ccf.structure_set_members as m
    group by m.graph_id, m.structure_id
)
select
    s.structure_id as id,
    s.acronym,
    s.name,
    s.graph_id,
    s.graph_order,
    s.rgb as rgb_triplet,
    s.structure_id_path,
    coalesce(m.structure_set_ids, []) as structure_set_ids
from ccf.structures as s
left join sets as m on m.graph_id = s.graph_id and m.structure_id = s.structure_id
where s.graph_id = 1
order by s.graph_order
