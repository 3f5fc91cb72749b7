-- one ecephys channel of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.ecephys_probe_id, a.ingest_id) as ecephys_probe_id,
    arg_max(a.local_index, a.ingest_id) as local_index,
    arg_max(a.probe_horizontal_position, a.ingest_id) as probe_horizontal_position,
    arg_max(a.probe_vertical_position, a.ingest_id) as probe_vertical_position,
    arg_max(a.anterior_posterior_ccf_coordinate, a.ingest_id) as anterior_posterior_ccf_coordinate,
    arg_max(a.dorsal_ventral_ccf_coordinate, a.ingest_id) as dorsal_ventral_ccf_coordinate,
    arg_max(a.left_right_ccf_coordinate, a.ingest_id) as left_right_ccf_coordinate,
    arg_max(a.ecephys_structure_id, a.ingest_id) as ecephys_structure_id,
    arg_max(a.ecephys_structure_acronym, a.ingest_id) as ecephys_structure_acronym,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_ecephys_channels as a
group by a.id
