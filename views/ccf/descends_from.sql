-- true where a structure is part of another, or the same
-- spec: connectivity ONT-08, CON-064
-- sdk: StructureTree.structure_descends_from
-- function: ccf.descends_from(child, parent)
--   child    id of a structure; raises where nobody knows it
--   parent   id of a structure
(
    select
        case
            when count(*) = 0 then error('unknown: there is no structure ' || child)
            else bool_or(list_contains(s.structure_id_path, parent::bigint))
        end
    from ccf.structures as s
    where s.structure_id = child::bigint
)
