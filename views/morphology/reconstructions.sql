-- one reconstruction: an SWC file, with the cell it shows where that can be told
-- spec: cell_types 2.5, 3.4, CT-056
-- sdk: CellTypesCache.get_reconstruction, CellTypesApi.save_reconstruction
--   morphology_id        reconstruction, made from the content of its file
--   specimen_id          the cell; NULL where nothing tells it
--   specimen_name        name of the cell, as the warehouse or else the file has it
--   specimen_known_by    what told the cell: folder, file or name, as in morphology.file_cells
--   kind                 raw, or what was done to the tree, as the file's name ends: pia, upright ...
--   n_nodes              nodes of the file
--   is_strict            strict SWC readers take the file
--   strict_complaint     what a strict reader refuses
--   source_name          name of the file
--   comments             comment lines above the first node
select
    f.morphology_id,
    c.specimen_id,
    coalesce(s.specimen_name, f.named_specimen_name) as specimen_name,
    c.specimen_known_by,
    f.kind,
    f.n_nodes,
    f.is_strict,
    f.strict_complaint,
    f.source_name,
    f.comments
from morphology.swc_files as f
join morphology.file_cells as c on c.file_id = f.morphology_id
left join icephys.specimen_details as s on s.specimen_id = c.specimen_id
