-- one structure of an ontology: the listing with structure sets where there is one, completed by the warehouse's table
-- spec: connectivity 3.1, ONT-01, ONT-02, CON-031, CON-063
-- sdk: OntologiesApi.get_structures, StructureTree.clean_structures, StructureTree.path_to_list, StructureTree.hex_to_rgb
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
with complete as (
    select distinct l.graph_id
    from ccf.listed_structures as l
    where l.listing <> 'selection'
),
ranked as (
    select
        l.*,
        case l.listing when 'tree' then 1 when 'table' then 2 else 3 end as place
    from ccf.listed_structures as l
    where l.listing <> 'selection'
        or l.graph_id not in (select c.graph_id from complete as c)
),
merged as (
    select
        r.graph_id,
        r.structure_id,
        arg_min(r.acronym, r.place) as acronym,
        arg_min(r.name, r.place) as name,
        arg_min(r.safe_name, r.place) as safe_name,
        arg_min(r.structure_id_path, r.place) as structure_id_path,
        coalesce(arg_min(r.graph_order, r.place), arg_min(r.list_index, r.place)) as graph_order,
        arg_min(r.st_level, r.place) as st_level,
        arg_min(r.color_hex, r.place) as color_hex,
        arg_min(r.atlas_id, r.place) as atlas_id,
        arg_min(r.ontology_id, r.place) as ontology_id
    from ranked as r
    group by r.graph_id, r.structure_id
),
-- an id belongs to one graph of the warehouse; lists of people's own may use it again
once as (
    select m.*
    from merged as m
    qualify row_number() over (partition by m.structure_id order by m.graph_id) = 1
),
parents as (
    select distinct o.structure_id_path[-2] as structure_id
    from once as o
    where len(o.structure_id_path) > 1
)
select
    o.structure_id,
    o.graph_id,
    o.acronym,
    o.name,
    o.safe_name,
    o.structure_id_path[-2] as parent_structure_id,
    o.structure_id_path,
    o.graph_order,
    len(o.structure_id_path)::integer - 1 as tree_depth,
    o.st_level,
    o.color_hex,
    case
        when o.color_hex is not null
            then [
                ('0x' || o.color_hex[1:2])::integer,
                ('0x' || o.color_hex[3:4])::integer,
                ('0x' || o.color_hex[5:6])::integer
            ]
    end as rgb,
    p.structure_id is null as is_leaf,
    o.atlas_id,
    o.ontology_id
from once as o
left join parents as p on p.structure_id = o.structure_id
