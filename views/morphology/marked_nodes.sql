-- one marker with the node of the cell's raw reconstruction that lies nearest
-- spec: cell_types 1, MO-18
--   specimen_id      the cell
--   marker_file_id   marker file
--   marker_index     index of the marker in its file
--   meaning          cut_dendrite, no_reconstruction, soma
--   morphology_id    reconstruction
--   node_id          the nearest node; the first of several as near
--   node_type        its type
--   distance         from the marker to the node (um)
with pairs as (
    select
        m.specimen_id,
        m.marker_file_id,
        m.marker_index,
        m.meaning,
        n.morphology_id,
        n.node_id,
        n.node_type,
        sqrt((n.x - m.x) ** 2 + (n.y - m.y) ** 2 + (n.z - m.z) ** 2) as distance
    from morphology.markers as m
    join morphology.nodes as n on n.specimen_id = m.specimen_id
    where n.kind = 'raw'
)
select p.specimen_id, p.marker_file_id, p.marker_index, p.meaning, p.morphology_id, p.node_id, p.node_type, p.distance
from pairs as p
qualify row_number() over (
    partition by p.marker_file_id, p.marker_index, p.morphology_id order by p.distance, p.node_id
) = 1
