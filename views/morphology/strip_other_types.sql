-- the nodes of a reconstruction that are of one type, and the soma
-- spec: cell_types MO-12, CT-076, CT-184
-- sdk: Morphology.strip_all_other_types
-- function: morphology.strip_other_types(nodes, kept_type, keep_soma := true, mode := 'public')
--   nodes           nodes of a reconstruction, as of morphology.node_lists
--   kept_type       type of the nodes that stay: 2 axon, 3 basal dendrite, 4 apical dendrite
--   keep_soma       whether nodes of type soma stay too
--   mode            public or internal: which of the reference's two classes to follow;
--                   internal keeps the first edge of a branch
strip_other_nodes(nodes, kept_type::integer, keep_soma::boolean, mode)
