-- one edge of a reconstruction, from a node to one that hangs on it
-- spec: cell_types MO-3, CT-182
-- sdk: internal.morphology.compartment.Compartment, Morphology.children_of, euclidean_distance, midpoint
-- partition: morphology_id
--   morphology_id               reconstruction
--   specimen_id                 the cell; NULL where nothing tells it
--   kind                        raw, or what was done to the tree
--   compartment_id              edge, from 0 in the order of its upper, then of its lower node
--   node_id                     lower node
--   parent_id                   upper node
--   node_type                   type of the lower node, which is the edge's
--   tree_id                     connected tree
--   length                      length of the edge (um)
--   center_x                    middle of the edge (um)
--   center_y                    middle of the edge (um)
--   center_z                    middle of the edge (um)
--   euclidean_distance          straight distance of the lower node to the soma; NULL without one (um)
--   parent_euclidean_distance   straight distance of the upper node to the soma (um)
--   x                           position of the lower node (um)
--   y                           position of the lower node (um)
--   z                           position of the lower node (um)
--   radius                      radius at the lower node (um)
--   parent_x                    position of the upper node (um)
--   parent_y                    position of the upper node (um)
--   parent_z                    position of the upper node (um)
--   parent_radius               radius at the upper node (um)
with lists as (
    select l.morphology_id, l.specimen_id, l.kind, measure_nodes(l.nodes) as nodes
    from morphology.node_lists as l
),
lower_nodes as (
    select l.morphology_id, l.specimen_id, l.kind, l.nodes, unnest(l.nodes) as node
    from lists as l
),
edges as (
    select n.morphology_id, n.specimen_id, n.kind, n.node, n.nodes[n.node.parent_id + 1] as above
    from lower_nodes as n
    where n.node.parent_id >= 0
)
select
    e.morphology_id,
    e.specimen_id,
    e.kind,
    row_number() over (partition by e.morphology_id order by e.node.parent_id, e.node.node_id) - 1 as compartment_id,
    e.node.node_id,
    e.node.parent_id,
    e.node.node_type,
    e.node.tree_id,
    e.node.edge_length as length,
    (e.node.x + e.above.x) / 2 as center_x,
    (e.node.y + e.above.y) / 2 as center_y,
    (e.node.z + e.above.z) / 2 as center_z,
    e.node.euclidean_distance,
    e.above.euclidean_distance as parent_euclidean_distance,
    e.node.x,
    e.node.y,
    e.node.z,
    e.node.radius,
    e.above.x as parent_x,
    e.above.y as parent_y,
    e.above.z as parent_z,
    e.above.radius as parent_radius
from edges as e
