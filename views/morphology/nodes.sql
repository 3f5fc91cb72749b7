-- one node of a reconstruction, with its place in its tree
-- spec: cell_types 3.4, MO-1, MO-10, MO-17, CT-070, CT-182, CT-183
-- sdk: Compartment, Morphology.node, Morphology.compartment_index, Morphology.parent_of, Morphology.tree, Morphology.num_trees, Morphology.soma, internal.morphology.node.Node
-- partition: morphology_id
--   morphology_id        reconstruction
--   specimen_id          the cell; NULL where nothing tells it
--   kind                 raw, or what was done to the tree
--   node_id              node, from 0 in the order of the file
--   original_id          id of the node in the file
--   node_type            1 soma, 2 axon, 3 basal dendrite, 4 apical dendrite, 0 undefined
--   node_type_name       the type in words
--   x                    position (um)
--   y                    position (um)
--   z                    position (um)
--   radius               radius; NaN where the file says so (um)
--   parent_id            node it hangs on; -1 for a root
--   tree_id              connected tree; 0 is the soma's
--   n_children           nodes that hang on it
--   depth_nodes          edges to its root; NULL on a cycle
--   branch_order         branch points above it, the soma not counted
--   edge_length          distance to its parent (um)
--   path_distance        distance to its root along the tree (um)
--   euclidean_distance   straight distance to the soma; NULL without one (um)
with measured as (
    select l.morphology_id, l.specimen_id, l.kind, unnest(measure_nodes(l.nodes)) as node
    from morphology.node_lists as l
)
select
    m.morphology_id,
    m.specimen_id,
    m.kind,
    m.node.node_id,
    m.node.original_id,
    m.node.node_type,
    case m.node.node_type
        when 0 then 'undefined'
        when 1 then 'soma'
        when 2 then 'axon'
        when 3 then 'basal_dendrite'
        when 4 then 'apical_dendrite'
        else 'custom'
    end as node_type_name,
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
from measured as m
