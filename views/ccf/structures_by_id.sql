-- one id that is asked for with its structure, in the order asked; a row of NULL for one that nobody knows
-- spec: connectivity ONT-06
-- sdk: StructureTree.get_structures_by_id, SimpleTree.nodes
-- macro: ccf.structures_by_id(ids)
--   ids                 id or list of ids; an unknown one is no error, as in the reference
--   wanted_id           id as asked for
--   structure_id        structure; NULL where nobody knows the id
--   acronym             acronym
--   name                full name
--   structure_id_path   structures from the root down to this one
--   rgb                 colour: red, green, blue, 0-255
with _wanted as (
    select w.wanted_id, w.place
    from unnest(lake.id_list(ids)) with ordinality as w(wanted_id, place)
)
select w.wanted_id, s.structure_id, s.acronym, s.name, s.structure_id_path, s.rgb
from _wanted as w
left join ccf.structures as s on s.structure_id = w.wanted_id
order by w.place
