-- the nodes of a reconstruction with only each n-th of those within a branch
-- spec: cell_types MO-13, CT-075, CT-184
-- sdk: Morphology.sparsify
-- function: morphology.sparsify(nodes, every, mode := 'public')
--   nodes           nodes of a reconstruction, as of morphology.node_lists
--   every           n; roots, tips, branch points, the soma and its children stay in any case
--   mode            public or internal: which of the reference's two classes to follow;
--                   public counts all nodes, internal those that may go
sparsify_nodes(nodes, every::integer, mode)
