-- one cell of the Cell Types Database, whichever source tells of it
-- spec: cell_types 2.1, 3.1, CT-027
-- sdk: CellTypesApi.list_cells_api
--   source   where the row comes from: api, or csv where the API's record is not in the lake
select
    a.specimen_id, a.specimen_name, a.line_name, a.hemisphere, a.structure_id, a.structure_name,
    a.structure_acronym, a.parent_structure_id, a.parent_structure_acronym, a.structure_layer,
    a.max_euclidean_distance, a.number_stems, a.number_bifurcations, a.average_contraction,
    a.average_parent_daughter_ratio, a.reconstruction_type, a.reconstruction_file_id, a.ephys_file_id,
    a.fast_trough_v_long_square_mv, a.upstroke_downstroke_ratio_long_square, a.adaptation, a.f_i_curve_slope,
    a.threshold_i_long_square_pa, a.tau_ms, a.avg_isi_ms, a.avg_firing_rate, a.ri_mohm, a.peak_t_ramp,
    a.vrest_mv, a.image_height, a.image_width, a.image_path, a.soma_x, a.soma_y, a.soma_z, a.normalized_depth,
    a.reporter_status, a.n_glif_models, a.n_biophysical_models, a.n_perisomatic_models, a.n_all_active_models,
    a.apical, a.dendrite_type, a.morphology_thumbnail_path, a.ephys_thumbnail_path, a.threshold_thumbnail_path,
    a.donor_age, a.donor_sex, a.disease_state, a.donor_race, a.years_of_seizure_history, a.species, a.donor_id,
    a.donor_name, a.extra,
    'api' as source
from icephys.api_specimen_details as a
union all
select
    t.specimen_id, t.specimen_name, t.line_name, t.hemisphere, t.structure_id, t.structure_name,
    t.structure_acronym, t.parent_structure_id, t.parent_structure_acronym, t.structure_layer,
    t.max_euclidean_distance, t.number_stems, t.number_bifurcations, t.average_contraction,
    t.average_parent_daughter_ratio, t.reconstruction_type, t.reconstruction_file_id, t.ephys_file_id,
    t.fast_trough_v_long_square_mv, t.upstroke_downstroke_ratio_long_square, t.adaptation, t.f_i_curve_slope,
    t.threshold_i_long_square_pa, t.tau_ms, t.avg_isi_ms, t.avg_firing_rate, t.ri_mohm, t.peak_t_ramp,
    t.vrest_mv, t.image_height, t.image_width, t.image_path, t.soma_x, t.soma_y, t.soma_z, t.normalized_depth,
    t.reporter_status, t.n_glif_models, t.n_biophysical_models, t.n_perisomatic_models, t.n_all_active_models,
    t.apical, t.dendrite_type, t.morphology_thumbnail_path, t.ephys_thumbnail_path, t.threshold_thumbnail_path,
    t.donor_age, t.donor_sex, t.disease_state, t.donor_race, t.years_of_seizure_history, t.species, t.donor_id,
    t.donor_name, t.extra,
    'csv'
from icephys.csv_specimen_details as t
anti join icephys.api_specimen_details as a on a.specimen_id = t.specimen_id
