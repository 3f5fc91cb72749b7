-- one structure's surface as the corners of its triangles, three after three, for pictures and programs of geometry
-- spec: connectivity RSP-15, P10, CON-050
-- sdk: ReferenceSpaceCache.get_structure_mesh
-- macro: ccf.mesh_corners(wanted)
--   wanted          id, acronym or name, or a list of them; raises for one that nobody knows, or whose mesh is not here
--   structure_id    structure
--   acronym         acronym
--   rgb             colour: red, green, blue, 0-255
--   corner_ap_um    positions along ap, three for each triangle (um)
--   corner_dv_um    the same along dv (um)
--   corner_ml_um    the same along ml (um)
select
    case
        when m.structure_id is null
            then error(
                'absent: the mesh of ' || f.acronym || ' is not in this lake: `brainlake fetch meshes '
                || f.structure_id || '` brings it'
            )
        else f.structure_id
    end as structure_id,
    f.acronym,
    f.rgb,
    list_select(m.vertex_ap_um, list_transform(m.face_vertices, lambda i: i::bigint + 1)) as corner_ap_um,
    list_select(m.vertex_dv_um, list_transform(m.face_vertices, lambda i: i::bigint + 1)) as corner_dv_um,
    list_select(m.vertex_ml_um, list_transform(m.face_vertices, lambda i: i::bigint + 1)) as corner_ml_um
from ccf.find_structures(wanted) as f
left join ccf.structure_meshes as m on m.structure_id = f.structure_id
order by f.wanted_index
