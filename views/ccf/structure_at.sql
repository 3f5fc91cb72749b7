-- the structure at one position in the reference space, NULL where there is none; ccf.structures_at answers for many
-- spec: connectivity RSP-12
-- function: ccf.structure_at(ap, dv, ml)
--   ap   position (um)
--   dv   position (um)
--   ml   position (um)
(
    select
        nullif(
            voxel_at(
                a.grid.volume_id,
                a.grid.shape[1],
                ap / a.grid.spacing_um[1],
                dv / a.grid.spacing_um[2],
                ml / a.grid.spacing_um[3]
            ).label,
            0
        )
    from (select ccf.annotation_grid() as grid) as a
)
