-- published features of one reconstruction, under the names of the API's NeuronReconstruction
-- spec: cell_types 2.1, 5, CT-024, CT-053
-- sdk: CellTypesApi.get_morphology_features, CellTypesCache.get_morphology_features
--   id                           the API's id of the reconstruction
--   neuron_reconstruction_type   full or dendrite-only
-- `brainlake sql "from rma.neuron_reconstructions" -o morphology_features.csv` writes it as the reference's cache keeps it.
select
    r.average_bifurcation_angle_local,
    r.average_bifurcation_angle_remote,
    r.average_contraction,
    r.average_diameter,
    r.average_fragmentation,
    r.average_parent_daughter_ratio,
    r.hausdorff_dimension,
    r.reconstruction_id as id,
    r.max_branch_order,
    r.max_euclidean_distance,
    r.max_path_distance,
    r.reconstruction_type as neuron_reconstruction_type,
    r.number_bifurcations,
    r.number_branches,
    r.number_nodes,
    r.number_stems,
    r.number_tips,
    r.overall_depth,
    r.overall_height,
    r.overall_width,
    r.scale_factor_x,
    r.scale_factor_y,
    r.scale_factor_z,
    r.soma_surface,
    r.specimen_id,
    r.total_length,
    r.total_surface,
    r.total_volume
from morphology.published_features as r
order by r.specimen_id, r.reconstruction_id
