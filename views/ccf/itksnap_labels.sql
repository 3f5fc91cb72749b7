-- one structure as a label of ITK-SNAP, numbered anew where an id does not fit into 16 bits
-- spec: connectivity RSP-10, RSP-11, CON-054
-- sdk: ReferenceSpace.export_itksnap_labels, ReferenceSpace.write_itksnap_labels
-- macro: ccf.itksnap_labels(of_graph := 1)
--   of_graph       structure graph
--   IDX            label in ccf.itksnap_volume: the place in the order of acronyms, from 1, or the id
--   -R-            red, 0-255
--   -G-            green, 0-255
--   -B-            blue, 0-255
--   -A-            opacity
--   VIS            1 where it is shown
--   MSH            1 where a mesh is made of it
--   LABEL          acronym
--   structure_id   structure
select
    case
        when max(d."IDX") over () > 65535 then row_number() over (order by d."LABEL", d."IDX")
        else d."IDX"
    end as "IDX",
    d."-R-",
    d."-G-",
    d."-B-",
    d."-A-",
    d."VIS",
    d."MSH",
    d."LABEL",
    d."IDX" as structure_id
from ccf.label_description(of_graph := of_graph) as d
order by 1
