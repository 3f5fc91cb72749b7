-- one marker of a cell's reconstruction: where a neurite was cut or not followed, and the soma
-- spec: cell_types 2.5, MO-18, CT-069, CT-181
-- sdk: core.swc.Marker, core.swc.read_marker_file, CellTypesCache.get_reconstruction_markers, CellTypesApi.save_reconstruction_markers
--   marker_file_id   marker file
--   specimen_id      the cell; NULL where nothing tells it
--   marker_index     index in the file, from 0
--   x                position, one pixel less than the file says (um)
--   y                position, one pixel less than the file says (um)
--   z                position, one pixel less than the file says (um)
--   raw_x            position as the file has it (um)
--   raw_y            position as the file has it (um)
--   raw_z            position as the file has it (um)
--   radius           radius; 0 in files of the Allen Institute (um)
--   marker_shape     shape code
--   marker_code      10, 20 or 30
--   meaning          10 cut_dendrite, 20 no_reconstruction, 30 soma
--   comment          comment
-- Positions are off by one pixel of the image, 0.1144 x 0.1144 x 0.28 um.
select
    m.marker_file_id,
    t.specimen_id,
    m.marker_index,
    m.raw_x - 0.1144::double as x,
    m.raw_y - 0.1144::double as y,
    m.raw_z - 0.28::double as z,
    m.raw_x,
    m.raw_y,
    m.raw_z,
    m.radius,
    m.marker_shape,
    m.marker_code,
    case m.marker_code when 10 then 'cut_dendrite' when 20 then 'no_reconstruction' when 30 then 'soma' end as meaning,
    m.comment
from morphology.file_markers as m
join morphology.file_cells as t on t.file_id = m.marker_file_id
