-- one reconstruction with all its nodes in a list, as the operations of this schema take it
-- spec: cell_types 3.4, MO-1, CT-068, CT-070
-- sdk: core.swc.read_swc, Morphology.compartment_list, Morphology.num_nodes, internal.core.swc.read_swc
--   morphology_id   reconstruction
--   specimen_id     the cell; NULL where nothing tells it
--   kind            raw, or what was done to the tree
--   nodes           its nodes in the order of the file: node_id from 0, original_id as in the file, node_type 1 soma,
--                   2 axon, 3 basal dendrite, 4 apical dendrite, x, y, z and radius (um), parent_id or -1
select
    r.morphology_id,
    r.specimen_id,
    r.kind,
    build_nodes(s.swc_ids, s.swc_types, s.swc_x, s.swc_y, s.swc_z, s.swc_radii, s.swc_parents) as nodes
from morphology.reconstructions as r
join morphology.swc_nodes as s on s.morphology_id = r.morphology_id
