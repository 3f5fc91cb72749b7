-- the nodes of a reconstruction, one of them hung on another
-- spec: cell_types MO-11, CT-071, CT-184
-- sdk: Morphology.change_parent
-- function: morphology.change_parent(nodes, child, new_parent)
--   nodes           nodes of a reconstruction, as of morphology.node_lists
--   child           node_id of the node that moves
--   new_parent      node_id of the node it shall hang on; -1 makes it a root
rewire_nodes(nodes, child::integer, new_parent::integer)
