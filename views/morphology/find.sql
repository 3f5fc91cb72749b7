-- one node of a reconstruction within a distance of a point
-- spec: cell_types MO-10, CT-073
-- sdk: Morphology.find
-- macro: morphology.find(tree, x0, y0, z0, within, wanted_type := null)
--   tree          relation with morphology_id, node_id, node_type, x, y, z, as morphology.nodes
--   x0            the point (um)
--   y0            the point (um)
--   z0            the point (um)
--   within        greatest distance, inclusive (um)
--   wanted_type   type of nodes to find; NULL: any
--   morphology_id   reconstruction
--   node_id       node
--   node_type     its type
--   distance      distance from the point (um)
with _apart as (
    select
        tree.morphology_id,
        tree.node_id,
        tree.node_type,
        sqrt((tree.x - x0::double) ** 2 + (tree.y - y0::double) ** 2 + (tree.z - z0::double) ** 2) as distance
    from query_table(tree) as tree
)
select a.morphology_id, a.node_id, a.node_type, a.distance
from _apart as a
where a.distance <= within::double and (wanted_type is null or a.node_type = wanted_type)
order by a.morphology_id, a.node_id
