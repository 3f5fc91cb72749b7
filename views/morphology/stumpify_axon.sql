-- the nodes of a reconstruction whose axon is cut to a stump
-- spec: cell_types MO-14, CT-077, CT-184
-- sdk: Morphology.stumpify_axon
-- function: morphology.stumpify_axon(nodes, count := 10)
--   nodes           nodes of a reconstruction, as of morphology.node_lists
--   count           nodes of the stump, from where the axon leaves the rest
stumpify_nodes(nodes, count::integer)
