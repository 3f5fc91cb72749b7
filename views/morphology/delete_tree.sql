-- the nodes of a reconstruction without one of its trees
-- spec: cell_types MO-11, CT-071, CT-184
-- sdk: Morphology.delete_tree
-- function: morphology.delete_tree(nodes, tree)
--   nodes           nodes of a reconstruction, as of morphology.node_lists
--   tree            tree_id; a negative one deletes none
drop_tree(nodes, tree::integer)
