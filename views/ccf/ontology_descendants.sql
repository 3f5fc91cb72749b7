-- one structure that is part of a structure, itself among them, as the reference's first class for ontologies answers
-- spec: connectivity ONT-11, CON-051
-- sdk: Ontology.get_descendant_ids, Ontology.get_descendants, Ontology.get_child_ids, Ontology.get_children, Ontology.structure_descends_from
-- macro: ccf.ontology_descendants(wanted := null, of_graph := 1)
--   wanted         id or list of ids and acronyms, whose repeats and unknown ones are left out without a word; empty or NULL asks for all
--   of_graph       structure graph they are of
--   of_structure   structure that was asked for
--   structure_id   structure that is part of it, or itself
--   acronym        acronym
--   name           full name
--   steps          edges between them; 1 are the children
-- `ccf.descendants` asks for nothing where its list is empty, and raises for what nobody knows.
with _asked as (
    select s.structure_id
    from ccf.structures as s
    where s.graph_id = of_graph
        and (
            len(lake.text_list(wanted)) = 0
            or list_contains(lake.text_list(wanted), s.structure_id::varchar)
            or list_contains(lake.text_list(wanted), s.acronym)
        )
)
select a.structure_id as of_structure, s.structure_id, s.acronym, s.name, c.steps
from _asked as a
join ccf.structure_closure as c on c.ancestor_id = a.structure_id and c.graph_id = of_graph
join ccf.structures as s on s.structure_id = c.descendant_id and s.graph_id = of_graph
order by a.structure_id, s.graph_order
