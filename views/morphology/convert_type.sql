-- the nodes of a reconstruction, those of one type made another
-- spec: cell_types MO-11, CT-071, CT-184
-- sdk: Morphology.convert_type
-- function: morphology.convert_type(nodes, from_type, to_type)
--   nodes           nodes of a reconstruction, as of morphology.node_lists
--   from_type       type that goes
--   to_type         type that comes in its place
retype_nodes(nodes, from_type::integer, to_type::integer)
