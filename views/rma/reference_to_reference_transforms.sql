-- one reference to reference transform of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.from_reference_space_id, a.ingest_id) as from_reference_space_id,
    arg_max(a.to_reference_space_id, a.ingest_id) as to_reference_space_id,
    arg_max(a.t_00, a.ingest_id) as t_00,
    arg_max(a.t_01, a.ingest_id) as t_01,
    arg_max(a.t_02, a.ingest_id) as t_02,
    arg_max(a.t_03, a.ingest_id) as t_03,
    arg_max(a.t_04, a.ingest_id) as t_04,
    arg_max(a.t_05, a.ingest_id) as t_05,
    arg_max(a.t_06, a.ingest_id) as t_06,
    arg_max(a.t_07, a.ingest_id) as t_07,
    arg_max(a.t_08, a.ingest_id) as t_08,
    arg_max(a.t_09, a.ingest_id) as t_09,
    arg_max(a.t_10, a.ingest_id) as t_10,
    arg_max(a.t_11, a.ingest_id) as t_11,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_reference_to_reference_transforms as a
group by a.id
