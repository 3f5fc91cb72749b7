-- one cell of the Cell Types Database, with its place, donor, morphology and models
-- spec: cell_types 5, CT-026, CT-027
-- sdk: CellTypesCache.get_cells, CellTypesApi.list_cells_api, CellTypesApi.simplify_cells_api
--   transgenic_line             transgenic driver line
--   structure_name              name of the structure, without the quotes that the warehouse keeps around it
--   parent_structure_id         the area, without the layer; NULL where only the older endpoint tells of the cell
--   parent_structure_acronym    acronym of the area
--   has_reconstruction          a reconstruction is published
--   source                      where the row comes from: api, csv, or legacy (the older endpoint)
-- Specimen details tell more, so the older endpoint counts only for cells that they lack.
select
    d.specimen_id,
    d.specimen_name,
    d.species,
    d.donor_id,
    d.donor_name,
    d.donor_age,
    d.donor_sex,
    d.disease_state,
    d.line_name as transgenic_line,
    d.reporter_status,
    d.structure_id,
    d.structure_acronym,
    trim(d.structure_name, '"') as structure_name,
    d.structure_layer,
    d.parent_structure_id,
    d.parent_structure_acronym,
    d.hemisphere,
    d.soma_x,
    d.soma_y,
    d.soma_z,
    d.normalized_depth,
    d.dendrite_type,
    d.apical,
    d.reconstruction_type,
    d.reconstruction_type is not null or d.reconstruction_file_id is not null as has_reconstruction,
    d.reconstruction_file_id,
    d.ephys_file_id,
    d.n_glif_models,
    d.n_perisomatic_models,
    d.n_all_active_models,
    d.source
from icephys.specimen_details as d
union all
select
    g.specimen_id,
    g.specimen_name,
    g.species,
    g.donor_id,
    g.donor_name,
    null,
    null,
    g.disease_categories[1],
    g.transgenic_line,
    g.reporter_status,
    g.structure_id,
    g.structure_acronym,
    g.structure_name,
    g.structure_layer,
    null,
    null,
    g.hemisphere,
    g.soma_x,
    g.soma_y,
    g.soma_z,
    g.normalized_depth,
    g.dendrite_type,
    g.apical,
    null,
    g.has_reconstruction,
    null,
    null,
    null,
    null,
    null,
    'legacy'
from icephys.legacy_cells as g
anti join icephys.specimen_details as d on d.specimen_id = g.specimen_id
