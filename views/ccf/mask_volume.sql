-- one sagittal plane of a mask as bytes, 1 where any of some structures is: `-o mask.nrrd` (.nii, .npy) makes a file
-- spec: connectivity RSP-04, RSP-05, CON-056
-- sdk: ReferenceSpace.make_structure_mask, ReferenceSpace.check_and_write
-- macro: ccf.mask_volume(wanted, direct_only := false, at_resolution_um := null, of_version := null)
--   wanted             id, acronym or name, or a list of them; raises for one that nobody knows
--   direct_only        true: voxels labelled with these very structures; false: structures below, too
--   at_resolution_um   edge of a voxel of the annotation (um); NULL: what is nearest to 25
--   of_version         version of the annotation; NULL: ccf_2017 before others
--   ml_index           index along ml, 0 left
--   shape              voxels along ap, dv and ml of the whole volume
--   spacing_um         edges of a voxel along ap, dv and ml (um)
--   dtype              type of a voxel, as numpy names it
--   plane_bytes        voxels of the plane, ap fastest, then dv
with _wanted as (
    select list(distinct c.descendant_id) as labels
    from ccf.find_structures(wanted) as f
    join ccf.structure_closure as c on c.ancestor_id = f.structure_id
    where not direct_only or c.steps = 0
),
_grid as (
    select chosen.grid.volume_id, chosen.grid.shape, chosen.grid.spacing_um
    from (select ccf.annotation_grid(at_resolution_um := at_resolution_um, of_version := of_version) as grid) as chosen
)
select
    p.ml_index,
    g.shape,
    g.spacing_um,
    'u1' as dtype,
    plane_voxels(
        p.row_starts, p.run_starts, p.run_labels, p.plane_labels, g.shape[1]::bigint,
        []::bigint[], []::bigint[], w.labels, list_transform(w.labels, lambda x: 1::bigint), 'u1'
    ) as plane_bytes
from ccf.annotation_planes as p
join _grid as g on g.volume_id = p.volume_id
cross join _wanted as w
order by p.ml_index
