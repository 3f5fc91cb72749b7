-- the nodes of two reconstructions in one
-- spec: cell_types MO-11, CT-071, CT-184
-- sdk: Morphology.append
-- function: morphology.append(nodes, more)
--   nodes           nodes of a reconstruction, as of morphology.node_lists
--   more            nodes of another, which follow as trees of their own
append_nodes(nodes, more)
