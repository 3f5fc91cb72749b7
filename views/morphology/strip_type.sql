-- the nodes of a reconstruction without those of one type, whose children become roots
-- spec: cell_types MO-12, CT-076, CT-184
-- sdk: Morphology.strip_type
-- function: morphology.strip_type(nodes, stripped_type, mode := 'public')
--   nodes           nodes of a reconstruction, as of morphology.node_lists
--   stripped_type   type of the nodes that go: 1 soma, 2 axon, 3 basal dendrite, 4 apical dendrite
--   mode            public or internal: which of the reference's two classes to follow;
--                   internal keeps the first edge of a branch
strip_nodes(nodes, stripped_type::integer, mode)
