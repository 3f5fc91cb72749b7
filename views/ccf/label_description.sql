-- one structure as a label of ITK-SNAP
-- spec: connectivity ONT-10, CON-065
-- sdk: StructureTree.export_label_description
-- macro: ccf.label_description(of_graph := 1, hidden := [], without_mesh := [])
--   of_graph       structure graph
--   hidden         id or list of ids that are not shown
--   without_mesh   id or list of ids that no mesh is made of
--   IDX            structure
--   -R-            red, 0-255
--   -G-            green, 0-255
--   -B-            blue, 0-255
--   -A-            opacity
--   VIS            1 where it is shown
--   MSH            1 where a mesh is made of it
--   LABEL          acronym
select
    s.structure_id as "IDX",
    s.rgb[1] as "-R-",
    s.rgb[2] as "-G-",
    s.rgb[3] as "-B-",
    1.0::double as "-A-",
    (not list_contains(lake.id_list(hidden), s.structure_id))::integer as "VIS",
    (not list_contains(lake.id_list(without_mesh), s.structure_id))::integer as "MSH",
    s.acronym as "LABEL"
from ccf.structures as s
where s.graph_id = of_graph
order by s.graph_order
