-- the nodes of a reconstruction moved by an affine transform
-- spec: cell_types MO-15, CT-072, CT-184, CT-189
-- sdk: Morphology.apply_affine
-- function: morphology.transform(nodes, affine, radius_scale := null, determinant := 'true')
--   nodes           nodes of a reconstruction, as of morphology.node_lists
--   affine          twelve numbers: the matrix row by row (tvr_00 ... tvr_08), then the shift (um)
--   radius_scale    what radii are multiplied by; NULL: the cube root of the matrix's determinant
--   determinant     true; or public: with the sign that the reference's public class gets wrong
transform_nodes(nodes, affine::double[], radius_scale::double, determinant)
