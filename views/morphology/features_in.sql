-- one set of neurites of each reconstruction of a relation, measured as in morphology.features
-- spec: cell_types 4.10, section 5
-- macro: morphology.features_in(trees)
--   trees                                         relation (morphology_id, nodes), nodes as of morphology.node_lists,
--                                                 whatever was done to them
--   morphology_id                                 reconstruction
--   neurite_type                                  dendrite: basal and apical; basal_dendrite; apical_dendrite; axon: what hangs on the
--                                                 soma; axon_cloud: all of it, only extents and moments of edges; all_neurites;
--                                                 all_neurites_reference: basal dendrites, which the reference measures in its place
--   overall_width                                 greatest minus least x, soma left out (um)
--   overall_height                                greatest minus least y, soma left out (um)
--   overall_depth                                 greatest minus least z, soma left out (um)
--   number_nodes                                  nodes of the set
--   number_stems                                  edges from the soma to the set
--   number_bifurcations                           branch points; one with k > 2 children counts k - 1
--   number_branches                               segments between branch points; one with k > 2 children counts k -
--                                                 2 more
--   number_tips                                   nodes on which none hangs
--   max_branch_order                              most branch points between root and tip
--   number_neurites                               edges
--   number_outer_bifurcations                     branch points farther out than half the farthest node
--   total_length                                  summed length of edges (um)
--   total_surface                                 summed surface of edges, as truncated cones without slant (um2)
--   total_volume                                  summed volume, as the reference has it: its middle term lacks a
--                                                 radius (um3)
--   total_volume_corrected                        summed volume of edges as truncated cones (um3)
--   average_diameter                              mean diameter of nodes (um)
--   max_euclidean_distance                        greatest distance of a node from the soma (um)
--   max_path_distance                             greatest path length from a root to a tip (um)
--   average_contraction                           straight over path length of segments (1)
--   average_fragmentation                         edges a segment, initial ones left out
--   average_parent_daughter_ratio                 mean over branch points of the daughters' mean radius over the
--                                                 parent's (1)
--   parent_daughter_ratio                         mean over daughters of their radius over the parent's (1)
--   average_bifurcation_angle_local               between daughters at the branch point (deg)
--   average_bifurcation_angle_remote              between the far ends of daughter segments (deg)
--   soma_surface                                  4 pi r^2 of the soma; NULL where it has several nodes (um2)
--   neurites_over_branches                        edges over segments
--   first_compartment_moment_x                    mean x from the soma of edges, weighted by length, without sign
--                                                 (um)
--   first_compartment_moment_y                    mean y from the soma of edges, weighted by length (um)
--   first_compartment_moment_z                    mean z from the soma of edges, weighted by length, without sign
--                                                 (um)
--   compartment_stdev_x                           spread of x of edges, weighted by length (um)
--   compartment_stdev_y                           spread of y of edges, weighted by length (um)
--   compartment_stdev_z                           spread of z of edges, weighted by length (um)
--   compartment_centroid_over_distance_x          first_compartment_moment_x over overall_width (1)
--   compartment_centroid_over_distance_y          first_compartment_moment_y over overall_height (1)
--   compartment_centroid_over_distance_z          first_compartment_moment_z over overall_depth (1)
--   compartment_stdev_over_distance_x             compartment_stdev_x over overall_width (1)
--   compartment_stdev_over_distance_y             compartment_stdev_y over overall_height (1)
--   compartment_stdev_over_distance_z             compartment_stdev_z over overall_depth (1)
--   compartment_stdev_over_centroid_x             as the reference has it: first_compartment_moment_x over
--                                                 compartment_stdev_x (1)
--   compartment_stdev_over_centroid_y             as the reference has it: first_compartment_moment_y over
--                                                 compartment_stdev_y (1)
--   compartment_stdev_over_centroid_z             as the reference has it: first_compartment_moment_z over
--                                                 compartment_stdev_z (1)
--   compartment_stdev_over_centroid_corrected_x   compartment_stdev_x over first_compartment_moment_x (1)
--   compartment_stdev_over_centroid_corrected_y   compartment_stdev_y over first_compartment_moment_y (1)
--   compartment_stdev_over_centroid_corrected_z   compartment_stdev_z over first_compartment_moment_z (1)
--   first_bifurcation_moment_x                    mean x from the soma of branch points, without sign (um)
--   first_bifurcation_moment_y                    mean y from the soma of branch points (um)
--   first_bifurcation_moment_z                    mean z from the soma of branch points, without sign (um)
--   bifurcation_stdev_x                           spread of x of branch points (um)
--   bifurcation_stdev_y                           spread of y of branch points (um)
--   bifurcation_stdev_z                           spread of z of branch points (um)
--   bifurcation_centroid_over_distance_x          first_bifurcation_moment_x over overall_width (1)
--   bifurcation_centroid_over_distance_y          first_bifurcation_moment_y over overall_height (1)
--   bifurcation_centroid_over_distance_z          first_bifurcation_moment_z over overall_depth (1)
--   bifurcation_stdev_over_distance_x             bifurcation_stdev_x over overall_width (1)
--   bifurcation_stdev_over_distance_y             bifurcation_stdev_y over overall_height (1)
--   bifurcation_stdev_over_distance_z             bifurcation_stdev_z over overall_depth (1)
--   bifurcation_stdev_over_centroid_x             as the reference has it: first_bifurcation_moment_x over
--                                                 bifurcation_stdev_x (1)
--   bifurcation_stdev_over_centroid_y             as the reference has it: first_bifurcation_moment_y over
--                                                 bifurcation_stdev_y (1)
--   bifurcation_stdev_over_centroid_z             as the reference has it: first_bifurcation_moment_z over
--                                                 bifurcation_stdev_z (1)
--   bifurcation_stdev_over_centroid_corrected_x   bifurcation_stdev_x over first_bifurcation_moment_x (1)
--   bifurcation_stdev_over_centroid_corrected_y   bifurcation_stdev_y over first_bifurcation_moment_y (1)
--   bifurcation_stdev_over_centroid_corrected_z   bifurcation_stdev_z over first_bifurcation_moment_z (1)
with _measured as (
    select trees.morphology_id, unnest(neurite_features(trees.nodes)) as feature
    from query_table(trees) as trees
)
select
    m.morphology_id,
    m.feature.neurite_type,
    m.feature.overall_width,
    m.feature.overall_height,
    m.feature.overall_depth,
    m.feature.number_nodes,
    m.feature.number_stems,
    m.feature.number_bifurcations,
    m.feature.number_branches,
    m.feature.number_tips,
    m.feature.max_branch_order,
    m.feature.number_neurites,
    m.feature.number_outer_bifurcations,
    m.feature.total_length,
    m.feature.total_surface,
    m.feature.total_volume,
    m.feature.total_volume_corrected,
    m.feature.average_diameter,
    m.feature.max_euclidean_distance,
    m.feature.max_path_distance,
    m.feature.average_contraction,
    m.feature.average_fragmentation,
    m.feature.average_parent_daughter_ratio,
    m.feature.parent_daughter_ratio,
    m.feature.average_bifurcation_angle_local,
    m.feature.average_bifurcation_angle_remote,
    m.feature.soma_surface,
    m.feature.neurites_over_branches,
    m.feature.first_compartment_moment_x,
    m.feature.first_compartment_moment_y,
    m.feature.first_compartment_moment_z,
    m.feature.compartment_stdev_x,
    m.feature.compartment_stdev_y,
    m.feature.compartment_stdev_z,
    m.feature.compartment_centroid_over_distance_x,
    m.feature.compartment_centroid_over_distance_y,
    m.feature.compartment_centroid_over_distance_z,
    m.feature.compartment_stdev_over_distance_x,
    m.feature.compartment_stdev_over_distance_y,
    m.feature.compartment_stdev_over_distance_z,
    m.feature.compartment_stdev_over_centroid_x,
    m.feature.compartment_stdev_over_centroid_y,
    m.feature.compartment_stdev_over_centroid_z,
    m.feature.compartment_stdev_over_centroid_corrected_x,
    m.feature.compartment_stdev_over_centroid_corrected_y,
    m.feature.compartment_stdev_over_centroid_corrected_z,
    m.feature.first_bifurcation_moment_x,
    m.feature.first_bifurcation_moment_y,
    m.feature.first_bifurcation_moment_z,
    m.feature.bifurcation_stdev_x,
    m.feature.bifurcation_stdev_y,
    m.feature.bifurcation_stdev_z,
    m.feature.bifurcation_centroid_over_distance_x,
    m.feature.bifurcation_centroid_over_distance_y,
    m.feature.bifurcation_centroid_over_distance_z,
    m.feature.bifurcation_stdev_over_distance_x,
    m.feature.bifurcation_stdev_over_distance_y,
    m.feature.bifurcation_stdev_over_distance_z,
    m.feature.bifurcation_stdev_over_centroid_x,
    m.feature.bifurcation_stdev_over_centroid_y,
    m.feature.bifurcation_stdev_over_centroid_z,
    m.feature.bifurcation_stdev_over_centroid_corrected_x,
    m.feature.bifurcation_stdev_over_centroid_corrected_y,
    m.feature.bifurcation_stdev_over_centroid_corrected_z
from _measured as m
