-- one point of the reference space with its place in the stack of images of an experiment
-- spec: connectivity XFM-01, XFM-03, CON-042, Q21
-- sdk: MouseConnectivityCache.get_affine_parameters
-- macro: connectivity.to_stack(points, experiment)
--   points       relation (ap_um, dv_um, ml_um), whose further columns come along
--   experiment   experiment; raises where its alignment is not in the lake
--   stack_x_um   place along the images' rows (um)
--   stack_y_um   place along the images' columns (um)
--   stack_z_um   place across the images: divided by their distance, the section (um)
-- A point is displaced by the deformation field first, where the lake has it, then goes through the affine alignment.
select
    d.* exclude (displaced_ap_um, displaced_dv_um, displaced_ml_um),
    a.p[1] * (d.ap_um + d.displaced_ap_um) + a.p[2] * (d.dv_um + d.displaced_dv_um)
    + a.p[3] * (d.ml_um + d.displaced_ml_um) + a.p[10] as stack_x_um,
    a.p[4] * (d.ap_um + d.displaced_ap_um) + a.p[5] * (d.dv_um + d.displaced_dv_um)
    + a.p[6] * (d.ml_um + d.displaced_ml_um) + a.p[11] as stack_y_um,
    a.p[7] * (d.ap_um + d.displaced_ap_um) + a.p[8] * (d.dv_um + d.displaced_dv_um)
    + a.p[9] * (d.ml_um + d.displaced_ml_um) + a.p[12] as stack_z_um
from connectivity.displacements(points, experiment) as d
cross join (select connectivity.affine(experiment, 'trv') as p) as a
