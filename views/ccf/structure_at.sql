-- the structure at one position in the reference space, NULL where there is none; ccf.structures_at answers for many
-- spec: connectivity RSP-12
-- function: ccf.structure_at(ap, dv, ml)
--   ap   position (um)
--   dv   position (um)
--   ml   position (um)
(
    with chosen as (
        select
            a.grid.volume_id,
            a.grid.shape,
            floor(ap::double / a.grid.spacing_um[1])::bigint as ap_index,
            floor(dv::double / a.grid.spacing_um[2])::bigint as dv_index,
            floor(ml::double / a.grid.spacing_um[3])::bigint as ml_index
        from (select ccf.annotation_grid() as grid) as a
    )
    select nullif(labels_at(p.row_starts, p.run_starts, p.run_labels, p.plane_labels, [c.dv_index], [c.ap_index])[1], 0)
    from ccf.annotation_planes as p
    join chosen as c on c.volume_id = p.volume_id and c.ml_index = p.ml_index
    where c.ap_index between 0 and c.shape[1] - 1
        and c.dv_index between 0 and c.shape[2] - 1
)
