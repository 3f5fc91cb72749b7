-- one specimen of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.name, a.ingest_id) as name,
    arg_max(a.external_specimen_name, a.ingest_id) as external_specimen_name,
    arg_max(a.hemisphere, a.ingest_id) as hemisphere,
    arg_max(a.specimen_id_path, a.ingest_id) as specimen_id_path,
    arg_max(a.data, a.ingest_id) as data,
    arg_max(a.donor_id, a.ingest_id) as donor_id,
    arg_max(a.structure_id, a.ingest_id) as structure_id,
    arg_max(a.parent_id, a.ingest_id) as parent_id,
    arg_max(a.ephys_result_id, a.ingest_id) as ephys_result_id,
    arg_max(a.cell_reporter_id, a.ingest_id) as cell_reporter_id,
    arg_max(a.cell_prep_sample_id, a.ingest_id) as cell_prep_sample_id,
    arg_max(a.cortex_layer_id, a.ingest_id) as cortex_layer_id,
    arg_max(a.treatment_id, a.ingest_id) as treatment_id,
    arg_max(a.parent_x_coord, a.ingest_id) as parent_x_coord,
    arg_max(a.parent_y_coord, a.ingest_id) as parent_y_coord,
    arg_max(a.parent_z_coord, a.ingest_id) as parent_z_coord,
    arg_max(a.pinned_radius, a.ingest_id) as pinned_radius,
    arg_max(a.weight, a.ingest_id) as weight,
    arg_max(a.tissue_ph, a.ingest_id) as tissue_ph,
    arg_max(a.rna_integrity_number, a.ingest_id) as rna_integrity_number,
    arg_max(a.is_cell_specimen, a.ingest_id) as is_cell_specimen,
    arg_max(a.is_ish, a.ingest_id) as is_ish,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_specimens as a
group by a.id
