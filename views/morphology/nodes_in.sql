-- one node of each reconstruction of a relation, with its place in its tree, as in morphology.nodes
-- spec: cell_types 4.9, section 5
-- macro: morphology.nodes_in(trees)
--   trees                relation (morphology_id, nodes), nodes as of morphology.node_lists, whatever was done to them
--   morphology_id        reconstruction
--   node_id              node, from 0
--   original_id          id of the node in the file
--   node_type            1 soma, 2 axon, 3 basal dendrite, 4 apical dendrite, 0 undefined
--   x                    position (um)
--   y                    position (um)
--   z                    position (um)
--   radius               radius (um)
--   parent_id            node it hangs on; -1 for a root
--   tree_id              connected tree; 0 is the soma's
--   n_children           nodes that hang on it
--   depth_nodes          edges to its root; NULL on a cycle
--   branch_order         branch points above it, the soma not counted
--   edge_length          distance to its parent (um)
--   path_distance        distance to its root along the tree (um)
--   euclidean_distance   straight distance to the soma; NULL without one (um)
with _measured as (
    select trees.morphology_id, unnest(measure_nodes(trees.nodes)) as node
    from query_table(trees) as trees
)
select
    m.morphology_id,
    m.node.node_id,
    m.node.original_id,
    m.node.node_type,
    m.node.x,
    m.node.y,
    m.node.z,
    m.node.radius,
    m.node.parent_id,
    m.node.tree_id,
    m.node.n_children,
    m.node.depth_nodes,
    m.node.branch_order,
    m.node.edge_length,
    m.node.path_distance,
    m.node.euclidean_distance
from _measured as m
