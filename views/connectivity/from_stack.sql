-- one point of the stack of images of an experiment with its place in the reference space, by the affine alignment alone
-- spec: connectivity XFM-01, CON-042
-- sdk: MouseConnectivityCache.get_affine_parameters
-- macro: connectivity.from_stack(points, experiment)
--   points       relation (stack_x_um, stack_y_um, stack_z_um), whose further columns come along
--   experiment   experiment; raises where its alignment is not in the lake
--   ap_um        place along ap (um)
--   dv_um        place along dv (um)
--   ml_um        place along ml (um)
select
    points.*,
    a.p[1] * points.stack_x_um + a.p[2] * points.stack_y_um + a.p[3] * points.stack_z_um + a.p[10] as ap_um,
    a.p[4] * points.stack_x_um + a.p[5] * points.stack_y_um + a.p[6] * points.stack_z_um + a.p[11] as dv_um,
    a.p[7] * points.stack_x_um + a.p[8] * points.stack_y_um + a.p[9] * points.stack_z_um + a.p[12] as ml_um
from query_table(points) as points
cross join (select connectivity.affine(experiment, 'tvr') as p) as a
