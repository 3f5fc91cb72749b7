-- one node of a cell's reconstruction, with its place in its tree, as in morphology.nodes
-- spec: cell_types CT-056, section 5
-- sdk: CellTypesCache.get_reconstruction
-- macro: morphology.nodes_of(specimen, wanted_kind := 'raw')
--   specimen             specimen_id of the cell
--   wanted_kind          raw, pia, upright ...; NULL: all
--   morphology_id        reconstruction
--   node_id              node, from 0 in the order of the file
--   original_id          id of the node in the file
--   node_type            1 soma, 2 axon, 3 basal dendrite, 4 apical dendrite, 0 undefined
--   node_type_name       the type in words
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
--   euclidean_distance   straight distance to the soma (um)
select
    n.morphology_id,
    n.node_id,
    n.original_id,
    n.node_type,
    n.node_type_name,
    n.x,
    n.y,
    n.z,
    n.radius,
    n.parent_id,
    n.tree_id,
    n.n_children,
    n.depth_nodes,
    n.branch_order,
    n.edge_length,
    n.path_distance,
    n.euclidean_distance
from morphology.nodes as n
where n.specimen_id = specimen::bigint and (wanted_kind is null or n.kind = wanted_kind)
order by n.morphology_id, n.node_id
