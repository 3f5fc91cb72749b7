-- one marker of a cell's reconstruction; none where the cell has no marker file
-- spec: cell_types MO-18, CT-056, section 5
-- sdk: CellTypesCache.get_reconstruction_markers
-- macro: morphology.markers_of(specimen)
--   specimen         specimen_id of the cell
--   marker_file_id   marker file
--   marker_index     index in the file, from 0
--   x                position, one pixel less than the file says (um)
--   y                position, one pixel less than the file says (um)
--   z                position, one pixel less than the file says (um)
--   marker_code      10, 20 or 30
--   meaning          10 cut_dendrite, 20 no_reconstruction, 30 soma
select m.marker_file_id, m.marker_index, m.x, m.y, m.z, m.marker_code, m.meaning
from morphology.markers as m
where m.specimen_id = specimen::bigint
order by m.marker_file_id, m.marker_index
