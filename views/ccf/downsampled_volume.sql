-- one sagittal plane of an annotation with fewer voxels, as the reference makes them: the nearest, ends upon ends
-- spec: connectivity RSP-08, CON-053, P9
-- sdk: ReferenceSpace.downsample
-- macro: ccf.downsampled_volume(to_um, at_resolution_um := null, of_version := null)
--   to_um              edge of a voxel that is wanted (um); voxels drift by up to half of it towards the ends
--   at_resolution_um   edge of a voxel of the annotation (um); NULL: what is nearest to 25
--   of_version         version of the annotation; NULL: ccf_2017 before others
--   ml_index           index along ml, 0 left
--   shape              voxels along ap, dv and ml of the whole volume
--   spacing_um         edges of a voxel along ap, dv and ml (um)
--   dtype              type of a voxel, as numpy names it
--   plane_bytes        voxels of the plane, ap fastest, then dv
with _grid as (
    select chosen.grid.volume_id, chosen.grid.shape, chosen.grid.spacing_um
    from (select ccf.annotation_grid(at_resolution_um := at_resolution_um, of_version := of_version) as grid) as chosen
),
_sizes as (
    select
        g.volume_id,
        g.shape,
        list_transform(
            range(1, 4), lambda i: round_even(g.shape[i] * g.spacing_um[i] / to_um::double, 0)::integer
        ) as new_shape
    from _grid as g
),
-- output o of M takes input floor(o * (N - 1) / (M - 1) + 0.5)
_taken as (
    select
        s.volume_id,
        s.shape,
        s.new_shape,
        list_transform(
            range(1, 4),
            lambda i: list_transform(
                range(s.new_shape[i]),
                lambda o: floor(o * (s.shape[i] - 1)::double / greatest(s.new_shape[i] - 1, 1) + 0.5)::bigint
            )
        ) as source_index
    from _sizes as s
),
_columns as (
    select
        t.volume_id,
        t.shape,
        t.new_shape,
        t.source_index[1] as ap_at,
        t.source_index[2] as dv_at,
        unnest(t.source_index[3]) as source_ml,
        unnest(range(t.new_shape[3])) as ml_index
    from _taken as t
)
select
    c.ml_index,
    c.new_shape as shape,
    [to_um::double, to_um::double, to_um::double] as spacing_um,
    'u4' as dtype,
    plane_voxels(
        p.row_starts, p.run_starts, p.run_labels, p.plane_labels, c.shape[1]::bigint,
        c.dv_at, c.ap_at, []::bigint[], []::bigint[], 'u4'
    ) as plane_bytes
from _columns as c
join ccf.annotation_planes as p on p.volume_id = c.volume_id and p.ml_index = c.source_ml
order by c.ml_index
