-- one vertex of the surface of a structure
-- spec: connectivity RSP-15, CON-050
-- sdk: ReferenceSpaceCache.get_structure_mesh
--   structure_id   structure
--   vertex_index   place in the mesh, from 0
--   ap_um          position (um)
--   dv_um          position (um)
--   ml_um          position (um)
select
    m.structure_id,
    unnest(range(len(m.vertex_ap_um))) as vertex_index,
    unnest(m.vertex_ap_um) as ap_um,
    unnest(m.vertex_dv_um) as dv_um,
    unnest(m.vertex_ml_um) as ml_um
from ccf.structure_meshes as m
