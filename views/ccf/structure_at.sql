-- the structure at one position in the reference space, NULL where there is none; ccf.structures_at answers for many
-- spec: connectivity RSP-12
-- function: ccf.structure_at(ap, dv, ml)
--   ap   position (um)
--   dv   position (um)
--   ml   position (um)
(
    select nullif(voxel_at(a.grid.volume_id, a.grid.shape, a.grid.spacing_um, ap, dv, ml).label, 0)
    from (select ccf.annotation_grid() as grid) as a
)
