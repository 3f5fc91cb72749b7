-- one point of a relation with the grey value of the voxel it lies in
-- spec: connectivity RSP-12
-- sdk: ReferenceSpaceCache.get_template_volume
-- macro: ccf.grey_at(points, of_kind := 'template', at_resolution_um := null)
--   points             relation (ap_um, dv_um, ml_um), whose further columns come along
--   of_kind            template, nissl or grey
--   at_resolution_um   edge of a voxel (um); NULL: what is nearest to 25
--   grey_value         value of the voxel; NULL outside of the volume
with _volume as (
    select ccf.grey_grid(of_kind, at_resolution_um := at_resolution_um) as grid
),
_points as (
    select points.*, row_number() over () as _point
    from query_table(points) as points
),
_voxels as (
    select
        p._point,
        v.grid,
        floor(p.ap_um / v.grid.spacing_um[1])::bigint as ap_index,
        floor(p.dv_um / v.grid.spacing_um[2])::bigint as dv_index,
        floor(p.ml_um / v.grid.spacing_um[3])::bigint as ml_index
    from _points as p
    cross join _volume as v
    where p.ap_um >= 0 and floor(p.ap_um / v.grid.spacing_um[1]) < v.grid.shape[1]
        and p.dv_um >= 0 and floor(p.dv_um / v.grid.spacing_um[2]) < v.grid.shape[2]
        and p.ml_um >= 0 and floor(p.ml_um / v.grid.spacing_um[3]) < v.grid.shape[3]
),
_by_block as (
    select
        x.grid.volume_id as volume_id,
        x.grid.stored_dtype as stored_dtype,
        x.ap_index // 16 as ap_block,
        x.dv_index // 16 as dv_block,
        x.ml_index // 16 as ml_block,
        list({
            'p': x._point,
            'place': (x.ap_index % 16 * 16 + x.dv_index % 16) * 16 + x.ml_index % 16
        }) as voxels
    from _voxels as x
    group by all
),
_found as (
    select
        unnest(b.voxels) as voxel,
        unnest(block_values(
            k.voxel_bytes, b.stored_dtype, list_transform(b.voxels, lambda x: x.place)
        )) as found_value
    from ccf.volume_blocks as k
    join _by_block as b
        on b.volume_id = k.volume_id
        and b.ml_block = k.ml_block
        and b.ap_block = k.ap_block
        and b.dv_block = k.dv_block
    where k.component = 0
)
select
    p.* exclude (_point),
    case when x._point is not null then coalesce(f.found_value, 0) end as grey_value
from _points as p
left join _voxels as x on x._point = p._point
left join _found as f on f.voxel.p = p._point
