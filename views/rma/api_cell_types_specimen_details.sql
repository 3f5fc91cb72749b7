-- one cell, under the names of the API's ApiCellTypesSpecimenDetail
-- spec: cell_types 2.1, 5, CT-027, CT-050
-- sdk: CellTypesApi.list_cells_api, CellTypesCache.get_cells
--   specimen__id                                cell
--   specimen__name                              name of the cell
--   specimen__hemisphere                        left or right
--   structure__id                               structure the soma lies in, with its layer
--   structure__name                             its name
--   structure__acronym                          its acronym
--   structure_parent__id                        the area, without the layer
--   structure_parent__acronym                   acronym of the area
--   structure__layer                            cortical layer: 1, 2, 2/3, 3, 4, 5, 6, 6a, 6b
--   nr__max_euclidean_distance                  greatest distance of a node from the soma, in um
--   nr__number_stems                            neurites that leave the soma
--   nr__number_bifurcations                     branch points
--   nr__average_contraction                     straight over path length of branches
--   nr__average_parent_daughter_ratio           radius of daughters over the parent's
--   nr__reconstruction_type                     full or dendrite-only; NULL without a reconstruction
--   nrwkf__id                                   well-known file that holds the reconstruction
--   erwkf__id                                   well-known file that holds the recording (NWB)
--   ef__fast_trough_v_long_square               fast trough of the rheobase sweep's first spike, in mV
--   ef__upstroke_downstroke_ratio_long_square   of the rheobase sweep's first spike
--   ef__adaptation                              adaptation index of the hero sweep
--   ef__f_i_curve_slope                         slope of rate over current of long squares, in 1/(s pA)
--   ef__threshold_i_long_square                 current at threshold, rheobase sweep, in pA
--   ef__tau                                     membrane time constant, in ms
--   ef__avg_isi                                 mean interspike interval of the hero sweep, in ms
--   ef__avg_firing_rate                         mean rate of the hero sweep, in Hz
--   ef__ri                                      input resistance from subthreshold long squares, in MOhm
--   ef__peak_t_ramp                             time of the first peak in ramps, from the sweep's start, in s
--   ef__vrest                                   resting potential, in mV
--   si__height                                  height of the specimen's image, in pixel
--   si__width                                   width of the specimen's image, in pixel
--   si__path                                    path of the image's transform in the warehouse
--   csl__x                                      soma: anterior-posterior in the mouse CCF (um), x in the human donor's MRI
--   csl__y                                      soma: dorsal-ventral in the mouse CCF (um), y in the human donor's MRI
--   csl__z                                      soma: left-right in the mouse CCF (um), z in the human donor's MRI
--   csl__normalized_depth                       depth in cortex, 0 at the pia, 1 at the white matter
--   cell_reporter_status                        positive or negative; NULL where undetermined
--   m__glif                                     GLIF models published for the cell
--   m__biophys                                  biophysical models published for the cell
--   m__biophys_perisomatic                      of them perisomatic
--   m__biophys_all_active                       of them all-active
--   tag__apical                                 apical dendrite: intact, truncated or NA
--   tag__dendrite_type                          spiny, aspiny or sparsely spiny
--   morph_thumb_path                            download path of the morphology's thumbnail
--   ephys_thumb_path                            download path of the long-square thumbnail
--   ephys_inst_thresh_thumb_path                download path of the threshold thumbnail
--   donor__age                                  age of a human donor, as 25 yrs
--   donor__sex                                  Male or Female; NULL for mice
--   donor__disease_state                        disease of a human donor: epilepsy or tumor
--   donor__race                                 race of a human donor
--   donor__years_of_seizure_history             of a human donor, in yr
--   donor__species                              Mus musculus or Homo Sapiens
--   donor__id                                   animal or person
--   donor__name                                 name of the animal or person
-- `brainlake sql "from rma.api_cell_types_specimen_details" -o cells.json` writes it as the reference's cache keeps it.
select
    r.line_name,
    r.specimen_id as specimen__id,
    r.specimen_name as specimen__name,
    r.hemisphere as specimen__hemisphere,
    r.structure_id as structure__id,
    r.structure_name as structure__name,
    r.structure_acronym as structure__acronym,
    r.parent_structure_id as structure_parent__id,
    r.parent_structure_acronym as structure_parent__acronym,
    r.structure_layer as structure__layer,
    r.max_euclidean_distance as nr__max_euclidean_distance,
    r.number_stems as nr__number_stems,
    r.number_bifurcations as nr__number_bifurcations,
    r.average_contraction as nr__average_contraction,
    r.average_parent_daughter_ratio as nr__average_parent_daughter_ratio,
    r.reconstruction_type as nr__reconstruction_type,
    r.reconstruction_file_id as nrwkf__id,
    r.ephys_file_id as erwkf__id,
    r.fast_trough_v_long_square_mv as ef__fast_trough_v_long_square,
    r.upstroke_downstroke_ratio_long_square as ef__upstroke_downstroke_ratio_long_square,
    r.adaptation as ef__adaptation,
    r.f_i_curve_slope as ef__f_i_curve_slope,
    r.threshold_i_long_square_pa as ef__threshold_i_long_square,
    r.tau_ms as ef__tau,
    r.avg_isi_ms as ef__avg_isi,
    r.avg_firing_rate as ef__avg_firing_rate,
    r.ri_mohm as ef__ri,
    r.peak_t_ramp as ef__peak_t_ramp,
    r.vrest_mv as ef__vrest,
    r.image_height as si__height,
    r.image_width as si__width,
    r.image_path as si__path,
    r.soma_x as csl__x,
    r.soma_y as csl__y,
    r.soma_z as csl__z,
    r.normalized_depth as csl__normalized_depth,
    r.reporter_status as cell_reporter_status,
    r.n_glif_models as m__glif,
    r.n_biophysical_models as m__biophys,
    r.n_perisomatic_models as m__biophys_perisomatic,
    r.n_all_active_models as m__biophys_all_active,
    r.apical as tag__apical,
    r.dendrite_type as tag__dendrite_type,
    r.morphology_thumbnail_path as morph_thumb_path,
    r.ephys_thumbnail_path as ephys_thumb_path,
    r.threshold_thumbnail_path as ephys_inst_thresh_thumb_path,
    r.donor_age as donor__age,
    r.donor_sex as donor__sex,
    r.disease_state as donor__disease_state,
    r.donor_race as donor__race,
    r.years_of_seizure_history as donor__years_of_seizure_history,
    r.species as donor__species,
    r.donor_id as donor__id,
    r.donor_name as donor__name
from icephys.specimen_details as r
order by r.specimen_id
