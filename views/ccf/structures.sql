-- one structure of an ontology: the listing with structure sets where there is one, completed by the warehouse's table
-- spec: connectivity 3.1, ONT-01, ONT-02, CON-031, CON-063
-- sdk: OntologiesApi.get_structures, StructureTree.clean_structures, StructureTree.path_to_list, StructureTree.hex_to_rgb
-- kept: for look-ups of structures, which nearly every question makes
--   structure_id          structure
--   graph_id              structure graph: 1 adult mouse, 17 developing mouse
--   acronym               acronym
--   name                  full name
--   safe_name             name without special characters
--   parent_structure_id   structure it is part of, the last but one of its path; NULL for a root
--   structure_id_path     structures from the root down to this one
--   graph_order           place in the order of the graph
--   tree_depth            edges from the root
--   st_level              level, as the table has it
--   color_hex             colour, six lower-case digits
--   rgb                   colour: red, green, blue, 0-255
--   is_leaf               no structure is part of it
--   atlas_id              atlas, as the table has it
--   ontology_id           ontology
--   hemisphere_id         1 left, 2 right, 3 both, as the table has it
--   extra                 other attributes of the table, a JSON object
with usable as (
    select
        l.*,
        case l.listing when 'tree' then 1 when 'table' then 2 else 3 end as place
    from ccf.listed_structures as l
    qualify l.listing <> 'selection' or not bool_or(l.listing <> 'selection') over (partition by l.graph_id)
),
-- an id belongs to one graph of the warehouse; lists of people's own may use it again
merged as (
    select
        u.structure_id,
        arg_min(u.graph_id, (u.graph_id, u.place)) as graph_id,
        arg_min(u.acronym, (u.graph_id, u.place)) as acronym,
        arg_min(u.name, (u.graph_id, u.place)) as name,
        arg_min(u.safe_name, (u.graph_id, u.place)) as safe_name,
        arg_min(u.structure_id_path, (u.graph_id, u.place)) as structure_id_path,
        arg_min(coalesce(u.graph_order, u.list_index), (u.graph_id, u.place)) as graph_order,
        arg_min(u.st_level, (u.graph_id, u.place)) as st_level,
        arg_min(u.color_hex, (u.graph_id, u.place)) as color_hex,
        arg_min(u.is_leaf, (u.graph_id, u.place)) as is_leaf,
        arg_min(u.atlas_id, (u.graph_id, u.place)) as atlas_id,
        arg_min(u.ontology_id, (u.graph_id, u.place)) as ontology_id,
        arg_min(u.hemisphere_id, (u.graph_id, u.place)) as hemisphere_id,
        arg_min(u.extra, (u.graph_id, u.place)) as extra
    from usable as u
    group by u.structure_id
)
select
    m.structure_id,
    m.graph_id,
    m.acronym,
    m.name,
    m.safe_name,
    m.structure_id_path[-2] as parent_structure_id,
    m.structure_id_path,
    m.graph_order,
    len(m.structure_id_path)::integer - 1 as tree_depth,
    m.st_level,
    m.color_hex,
    case
        when m.color_hex is not null
            then [
                ('0x' || m.color_hex[1:2])::integer,
                ('0x' || m.color_hex[3:4])::integer,
                ('0x' || m.color_hex[5:6])::integer
            ]
    end as rgb,
    m.is_leaf,
    m.atlas_id,
    m.ontology_id,
    m.hemisphere_id,
    m.extra
from merged as m
