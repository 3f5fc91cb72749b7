-- the nodes of a reconstruction turned by the rotation of an affine transform
-- spec: cell_types MO-16, CT-185
-- sdk: internal.morphology.morphology.Morphology.apply_affine_only_rotation
-- function: morphology.rotate(nodes, affine)
--   nodes           nodes of a reconstruction, as of morphology.node_lists
--   affine          twelve numbers, as of morphology.transform; columns are divided by their sums, as the reference does
rotate_nodes(nodes, affine::double[])
