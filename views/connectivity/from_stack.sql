-- one point of the stack of images of an experiment with its place in the reference space
-- spec: connectivity XFM-01, XFM-03, CON-042
-- sdk: MouseConnectivityCache.get_affine_parameters
-- macro: connectivity.from_stack(points, experiment, with_field := true)
--   points         relation (stack_x_um, stack_y_um, stack_z_um), whose further columns come along
--   experiment     experiment; raises where its alignment is not in the lake
--   with_field     false: by the affine alignment alone, also where the lake has a deformation field
--   ap_um          place along ap (um)
--   dv_um          place along dv (um)
--   ml_um          place along ml (um)
--   last_step_um   how far the last step of the search moved the point (um); more than 0.1: no place was found within 20
-- The way back from the stack has an alignment and no field: a place is sought from which the field leads to where the
-- alignment leads. Each step undoes the displacement at the place of the step before; it ends at 0.1 um, or after 20.
with recursive _stacked as materialized (
    select points.*, row_number() over () as _sought
    from query_table(points) as points
),
_aligned as materialized (
    select
        q._sought,
        a.p[1] * q.stack_x_um + a.p[2] * q.stack_y_um + a.p[3] * q.stack_z_um + a.p[10] as to_ap,
        a.p[4] * q.stack_x_um + a.p[5] * q.stack_y_um + a.p[6] * q.stack_z_um + a.p[11] as to_dv,
        a.p[7] * q.stack_x_um + a.p[8] * q.stack_y_um + a.p[9] * q.stack_z_um + a.p[12] as to_ml
    from _stacked as q
    cross join (select connectivity.affine(experiment, 'tvr') as p) as a
),
_search as (
    select
        l._sought,
        l.to_ap,
        l.to_dv,
        l.to_ml,
        l.to_ap as ap_um,
        l.to_dv as dv_um,
        l.to_ml as ml_um,
        0 as _step,
        if(with_field, 'infinity'::double, 0::double) as last_step_um
    from _aligned as l
    union all
    (
        with _unsettled as (
            select s.* from _search as s where s.last_step_um > 0.1 and s._step < 20
        )
        select
            d._sought,
            d.to_ap,
            d.to_dv,
            d.to_ml,
            d.to_ap - d.displaced_ap_um as ap_um,
            d.to_dv - d.displaced_dv_um as dv_um,
            d.to_ml - d.displaced_ml_um as ml_um,
            d._step + 1 as _step,
            sqrt(
                (d.to_ap - d.displaced_ap_um - d.ap_um) ** 2
                + (d.to_dv - d.displaced_dv_um - d.dv_um) ** 2
                + (d.to_ml - d.displaced_ml_um - d.ml_um) ** 2
            ) as last_step_um
        from connectivity.displacements('_unsettled', experiment) as d
    )
),
_places as (
    select
        s._sought,
        arg_max(s.ap_um, s._step) as ap_um,
        arg_max(s.dv_um, s._step) as dv_um,
        arg_max(s.ml_um, s._step) as ml_um,
        arg_max(s.last_step_um, s._step) as last_step_um
    from _search as s
    group by s._sought
)
select q.* exclude (_sought), s.ap_um, s.dv_um, s.ml_um, s.last_step_um
from _stacked as q
join _places as s on s._sought = q._sought
