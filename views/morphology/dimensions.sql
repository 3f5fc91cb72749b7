-- the extent of one reconstruction over all its nodes, soma included
-- spec: cell_types MO-10, CT-183
-- sdk: internal.morphology.morphology.Morphology.get_dimensions
-- partition: morphology_id
--   morphology_id   reconstruction
--   specimen_id     the cell; NULL where nothing tells it
--   kind            raw, or what was done to the tree
--   n_nodes         nodes
--   n_trees         connected trees
--   min_x           least position (um)
--   max_x           greatest position (um)
--   min_y           least position (um)
--   max_y           greatest position (um)
--   min_z           least position (um)
--   max_z           greatest position (um)
--   width           greatest minus least x (um)
--   height          greatest minus least y (um)
--   depth           greatest minus least z (um)
select
    n.morphology_id,
    n.specimen_id,
    n.kind,
    count(*) as n_nodes,
    max(n.tree_id) + 1 as n_trees,
    min(n.x) as min_x,
    max(n.x) as max_x,
    min(n.y) as min_y,
    max(n.y) as max_y,
    min(n.z) as min_z,
    max(n.z) as max_z,
    max(n.x) - min(n.x) as width,
    max(n.y) - min(n.y) as height,
    max(n.z) - min(n.z) as depth
from morphology.nodes as n
group by n.morphology_id, n.specimen_id, n.kind
