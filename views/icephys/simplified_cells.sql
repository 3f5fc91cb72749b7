-- one cell in the sixteen fields, and under the names, that the reference's simplified list has
-- spec: cell_types 5, CT-027
-- sdk: CellTypesApi.simplify_cells_api
--   cell_soma_location       x, y, z of the soma
--   id                       cell
--   name                     name of the cell
--   structure_layer_name     cortical layer
--   structure_area_id        the area, without the layer
--   structure_area_abbrev    acronym of the area
--   transgenic_line          transgenic driver line
--   structure_hemisphere     left or right
select
    d.reporter_status,
    [d.soma_x, d.soma_y, d.soma_z] as cell_soma_location,
    d.species,
    d.specimen_id as id,
    d.specimen_name as name,
    d.structure_layer as structure_layer_name,
    d.parent_structure_id as structure_area_id,
    d.parent_structure_acronym as structure_area_abbrev,
    d.line_name as transgenic_line,
    d.dendrite_type,
    d.apical,
    d.reconstruction_type,
    d.disease_state,
    d.donor_id,
    d.hemisphere as structure_hemisphere,
    d.normalized_depth
from icephys.specimen_details as d
