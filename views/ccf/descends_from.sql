-- true where a structure is part of another, or the same
-- spec: connectivity ONT-08, CON-064
-- sdk: StructureTree.structure_descends_from
-- function: ccf.descends_from(child, parent)
--   child    id of a structure, or acronym of one of the adult mouse; raises where nobody knows it
--   parent   id or acronym of a structure; raises for an acronym that nobody knows
(
    select
        case
            when count(c.structure_id) = 0 then error('unknown: there is no structure ' || child)
            when count(p.structure_id) = 0 and try_cast(parent as bigint) is null
                then error('unknown: there is no structure ' || parent)
            else coalesce(bool_or(list_contains(c.structure_id_path, p.structure_id)), false)
        end
    from ccf.structures as c
    left join ccf.structures as p
        on p.structure_id = try_cast(parent as bigint) or (p.acronym = parent::varchar and p.graph_id = 1)
    where c.structure_id = try_cast(child as bigint) or (c.acronym = child::varchar and c.graph_id = 1)
)
