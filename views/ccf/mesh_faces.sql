-- one triangle of the surface of a structure
-- spec: connectivity RSP-15, CON-050
-- sdk: ReferenceSpaceCache.get_structure_mesh
--   structure_id   structure
--   face_index     place in the mesh, from 0
--   vertices       its three vertices, as vertex_index of ccf.mesh_vertices
--   normals        the normal at each of them, as its place among the mesh's normals
with faces as (
    select
        m.structure_id,
        m.face_vertices,
        m.face_normals,
        unnest(range(len(m.face_vertices) // 3)) as face_index
    from ccf.structure_meshes as m
)
select
    f.structure_id,
    f.face_index,
    f.face_vertices[3 * f.face_index + 1 : 3 * f.face_index + 3] as vertices,
    f.face_normals[3 * f.face_index + 1 : 3 * f.face_index + 3] as normals
from faces as f
