-- one structure with its acronym: what ccf.structures has, for look-ups that need no more of it
-- spec: connectivity ONT-06
-- sdk: StructureTree.get_id_acronym_map
-- kept: for look-ups of structures, which nearly every question makes
--   structure_id   structure
--   acronym        acronym
select
    l.structure_id,
    arg_min(
        l.acronym,
        (case l.listing when 'tree' then 1 when 'table' then 2 else 3 end, l.graph_id)
    ) as acronym
from ccf.listed_structures as l
group by l.structure_id
