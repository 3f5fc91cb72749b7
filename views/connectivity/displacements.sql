-- one point of a relation with its displacement by the deformation field of an experiment
-- spec: connectivity XFM-02, CON-012, CON-044
-- sdk: MouseConnectivityCache.get_deformation_field
-- macro: connectivity.displacements(points, experiment)
--   points            relation (ap_um, dv_um, ml_um) of points of the reference space, whose further columns come along
--   experiment        experiment; where it has no field in the lake, or the point lies outside of it, nothing is displaced
--   displaced_ap_um   displacement along ap, between voxels linear (um)
--   displaced_dv_um   the same along dv (um)
--   displaced_ml_um   the same along ml (um)
with _field as (
    select v.volume_id, v.shape, v.spacing_um, v.stored_dtype
    from connectivity.deformation_fields as f
    join ccf.volumes as v on v.volume_id = f.volume_id
    where f.experiment_id = experiment::bigint
),
_displaced as materialized (
    select points.*, row_number() over () as _point
    from query_table(points) as points
),
_places as (
    select
        d._point,
        v.volume_id,
        v.shape,
        v.stored_dtype,
        d.ap_um / v.spacing_um[1] as ap_place,
        d.dv_um / v.spacing_um[2] as dv_place,
        d.ml_um / v.spacing_um[3] as ml_place
    from _displaced as d
    cross join _field as v
    where d.ap_um / v.spacing_um[1] >= -0.5 and d.ap_um / v.spacing_um[1] < v.shape[1] - 0.5
        and d.dv_um / v.spacing_um[2] >= -0.5 and d.dv_um / v.spacing_um[2] < v.shape[2] - 0.5
        and d.ml_um / v.spacing_um[3] >= -0.5 and d.ml_um / v.spacing_um[3] < v.shape[3] - 0.5
),
_corners as (
    select
        p._point,
        p.volume_id,
        p.stored_dtype,
        least(greatest(floor(p.ap_place) + i.ap, 0), p.shape[1] - 1)::bigint as ap_index,
        least(greatest(floor(p.dv_place) + i.dv, 0), p.shape[2] - 1)::bigint as dv_index,
        least(greatest(floor(p.ml_place) + i.ml, 0), p.shape[3] - 1)::bigint as ml_index,
        (1 - abs(p.ap_place - floor(p.ap_place) - i.ap))
        * (1 - abs(p.dv_place - floor(p.dv_place) - i.dv))
        * (1 - abs(p.ml_place - floor(p.ml_place) - i.ml)) as weight
    from _places as p
    cross join (
        select a.ap, b.dv, c.ml
        from (values (0), (1)) as a(ap), (values (0), (1)) as b(dv), (values (0), (1)) as c(ml)
    ) as i
),
_by_block as (
    select
        c.volume_id,
        c.stored_dtype,
        c.ap_index // 16 as ap_block,
        c.dv_index // 16 as dv_block,
        c.ml_index // 16 as ml_block,
        list({
            'p': c._point,
            'weight': c.weight,
            'place': (c.ap_index % 16 * 16 + c.dv_index % 16) * 16 + c.ml_index % 16
        }) as voxels
    from _corners as c
    group by all
),
_found as (
    select
        k.component,
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
),
_sums as (
    select
        f.voxel.p as _point,
        sum(f.voxel.weight * f.found_value) filter (f.component = 0) as along_ap,
        sum(f.voxel.weight * f.found_value) filter (f.component = 1) as along_dv,
        sum(f.voxel.weight * f.found_value) filter (f.component = 2) as along_ml
    from _found as f
    group by f.voxel.p
)
select
    d.* exclude (_point),
    coalesce(s.along_ap, 0)::double as displaced_ap_um,
    coalesce(s.along_dv, 0)::double as displaced_dv_um,
    coalesce(s.along_ml, 0)::double as displaced_ml_um
from _displaced as d
left join _sums as s on s._point = d._point
