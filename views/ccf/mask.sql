-- one run of voxels along ap that belong to any of some structures
-- spec: connectivity RSP-04, RSP-05
-- sdk: ReferenceSpace.make_structure_mask, ReferenceSpace.many_structure_masks, ReferenceSpaceCache.get_structure_mask
-- macro: ccf.mask(wanted, direct_only := false, at_resolution_um := null, of_version := null)
--   wanted             id, acronym or name, or a list of them; raises for one that nobody knows
--   direct_only        true: voxels labelled with these very structures; false: structures below, too
--   at_resolution_um   edge of a voxel of the annotation (um); NULL: what is nearest to 25
--   of_version         version of the annotation; NULL: ccf_2017 before others
--   volume_id          volume
--   ml_index           index along ml, 0 left
--   dv_index           index along dv, 0 dorsal
--   ap_index           index of the first voxel along ap, 0 anterior
--   n_voxels           voxels from there on, to posterior
--   structure_id       structure they are labelled with
--   hemisphere_id      1 left, 2 right
with _wanted as (
    select distinct c.descendant_id
    from ccf.find_structures(wanted) as f
    join ccf.structure_closure as c on c.ancestor_id = f.structure_id
    where not direct_only or c.steps = 0
),
_volume as (
    select chosen.grid.volume_id
    from (select ccf.annotation_grid(at_resolution_um := at_resolution_um, of_version := of_version) as grid) as chosen
)
select r.volume_id, r.ml_index, r.dv_index, r.ap_index, r.n_voxels, r.structure_id, r.hemisphere_id
from ccf.annotation_runs as r
join _volume as v on v.volume_id = r.volume_id
join _wanted as w on w.descendant_id = r.structure_id
