-- the published features of one reconstruction, whichever source tells of them; a cell may have several
-- spec: cell_types 2.1, 3.1, CT-024, CT-053
-- sdk: CellTypesApi.get_morphology_features, CellTypesCache.get_morphology_features
--   source   where the row comes from: api, or csv where the API's record is not in the lake
select
    a.reconstruction_id, a.specimen_id, a.reconstruction_type, a.superseded, a.average_bifurcation_angle_local,
    a.average_bifurcation_angle_remote, a.average_contraction, a.average_diameter, a.average_fragmentation,
    a.average_parent_daughter_ratio, a.hausdorff_dimension, a.max_branch_order, a.max_euclidean_distance,
    a.max_path_distance, a.number_bifurcations, a.number_branches, a.number_nodes, a.number_stems,
    a.number_tips, a.overall_depth, a.overall_height, a.overall_width, a.scale_factor_x, a.scale_factor_y,
    a.scale_factor_z, a.soma_surface, a.total_length, a.total_surface, a.total_volume, a.extra,
    'api' as source
from morphology.api_published_features as a
union all
select
    t.reconstruction_id, t.specimen_id, t.reconstruction_type, t.superseded, t.average_bifurcation_angle_local,
    t.average_bifurcation_angle_remote, t.average_contraction, t.average_diameter, t.average_fragmentation,
    t.average_parent_daughter_ratio, t.hausdorff_dimension, t.max_branch_order, t.max_euclidean_distance,
    t.max_path_distance, t.number_bifurcations, t.number_branches, t.number_nodes, t.number_stems,
    t.number_tips, t.overall_depth, t.overall_height, t.overall_width, t.scale_factor_x, t.scale_factor_y,
    t.scale_factor_z, t.soma_surface, t.total_length, t.total_surface, t.total_volume, t.extra,
    'csv'
from morphology.csv_published_features as t
anti join morphology.api_published_features as a on a.reconstruction_id = t.reconstruction_id
