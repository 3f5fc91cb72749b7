-- one feature of a cell's dendrites, computed from its reconstruction and as published
-- spec: cell_types 4.10, CT-188
-- sdk: CellTypesCache.get_morphology_features
--   morphology_id         reconstruction
--   specimen_id           the cell
--   kind                  raw: without the transform into the pial frame, with which the published features were made;
--                         extents, surfaces, volumes and diameters then differ by its scale
--   reconstruction_id     the API's id of the published record
--   feature               name of the feature
--   computed              value computed here
--   published             value published
--   relative_difference   (computed - published) / |published|; 0 where both are 0 (1)
with pairs as (
    select
        f.morphology_id,
        f.specimen_id,
        f.kind,
        p.reconstruction_id,
        unnest([
            {'feature': 'overall_width', 'computed': f.overall_width::double, 'published': p.overall_width::double},
            {'feature': 'overall_height', 'computed': f.overall_height::double, 'published': p.overall_height::double},
            {'feature': 'overall_depth', 'computed': f.overall_depth::double, 'published': p.overall_depth::double},
            {'feature': 'total_length', 'computed': f.total_length::double, 'published': p.total_length::double},
            {'feature': 'total_surface', 'computed': f.total_surface::double, 'published': p.total_surface::double},
            {'feature': 'total_volume', 'computed': f.total_volume::double, 'published': p.total_volume::double},
            {'feature': 'average_diameter', 'computed': f.average_diameter::double, 'published': p.average_diameter::double},
            {'feature': 'number_nodes', 'computed': f.number_nodes::double, 'published': p.number_nodes::double},
            {'feature': 'number_stems', 'computed': f.number_stems::double, 'published': p.number_stems::double},
            {'feature': 'number_bifurcations', 'computed': f.number_bifurcations::double, 'published': p.number_bifurcations::double},
            {'feature': 'number_branches', 'computed': f.number_branches::double, 'published': p.number_branches::double},
            {'feature': 'number_tips', 'computed': f.number_tips::double, 'published': p.number_tips::double},
            {'feature': 'max_branch_order', 'computed': f.max_branch_order::double, 'published': p.max_branch_order::double},
            {'feature': 'max_euclidean_distance', 'computed': f.max_euclidean_distance::double, 'published': p.max_euclidean_distance::double},
            {'feature': 'max_path_distance', 'computed': f.max_path_distance::double, 'published': p.max_path_distance::double},
            {'feature': 'average_contraction', 'computed': f.average_contraction::double, 'published': p.average_contraction::double},
            {'feature': 'average_fragmentation', 'computed': f.average_fragmentation::double, 'published': p.average_fragmentation::double},
            {'feature': 'average_parent_daughter_ratio', 'computed': f.average_parent_daughter_ratio::double, 'published': p.average_parent_daughter_ratio::double},
            {'feature': 'average_bifurcation_angle_local', 'computed': f.average_bifurcation_angle_local::double, 'published': p.average_bifurcation_angle_local::double},
            {'feature': 'average_bifurcation_angle_remote', 'computed': f.average_bifurcation_angle_remote::double, 'published': p.average_bifurcation_angle_remote::double},
            {'feature': 'soma_surface', 'computed': f.soma_surface::double, 'published': p.soma_surface::double}
        ]) as pair
    from morphology.features as f
    join morphology.published_features as p on p.specimen_id = f.specimen_id
    where f.neurite_type = 'dendrite'
)
select
    p.morphology_id,
    p.specimen_id,
    p.kind,
    p.reconstruction_id,
    p.pair.feature,
    p.pair.computed,
    p.pair.published,
    case
        when p.pair.computed = p.pair.published then 0.0::double
        else (p.pair.computed - p.pair.published) / nullif(abs(p.pair.published), 0)
    end as relative_difference
from pairs as p
