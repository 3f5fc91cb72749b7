-- one node of each reconstruction of a relation, with the drawn layer that it lies in
-- spec: cell_types MO-19, CT-189
-- macro: morphology.nodes_in_layers(trees, drawings)
-- Nodes and layers must lie in the same frame: morphology.transform brings nodes there, by a transform of one's own.
--   trees           relation (morphology_id, nodes), nodes as of morphology.node_lists, whatever was done to them
--   drawings        relation (morphology_id, layer, drawn_x, drawn_y): the corners of each layer in their order, as
--                   lists; the last joined to the first (um)
--   morphology_id   reconstruction
--   node_id         node, from 0
--   original_id     id of the node in the file
--   node_type       1 soma, 2 axon, 3 basal dendrite, 4 apical dendrite, 0 undefined
--   x               position (um)
--   y               position (um)
--   layer           the layer that holds it, seen along z; of overlapping ones the first by name; NULL outside of all
with _layers as (
    select
        d.morphology_id,
        list(d.layer::varchar order by d.layer) as layers,
        list(d.drawn_x::double[] order by d.layer) as drawn_x,
        list(d.drawn_y::double[] order by d.layer) as drawn_y
    from query_table(drawings) as d
    group by d.morphology_id
),
_found as (
    select
        t.morphology_id,
        unnest(t.nodes) as node,
        unnest(
            layers_of_nodes(t.nodes, coalesce(l.layers, []), coalesce(l.drawn_x, []), coalesce(l.drawn_y, []))
        ) as layer
    from query_table(trees) as t
    left join _layers as l on l.morphology_id = t.morphology_id
)
select
    f.morphology_id,
    f.node.node_id,
    f.node.original_id,
    f.node.node_type,
    f.node.x,
    f.node.y,
    f.layer
from _found as f
