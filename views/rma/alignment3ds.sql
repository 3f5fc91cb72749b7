-- one alignment of a stack to its reference space of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.aligned_type, a.ingest_id) as aligned_type,
    arg_max(a.aligned_id, a.ingest_id) as aligned_id,
    arg_max(a.trv_00, a.ingest_id) as trv_00,
    arg_max(a.trv_01, a.ingest_id) as trv_01,
    arg_max(a.trv_02, a.ingest_id) as trv_02,
    arg_max(a.trv_03, a.ingest_id) as trv_03,
    arg_max(a.trv_04, a.ingest_id) as trv_04,
    arg_max(a.trv_05, a.ingest_id) as trv_05,
    arg_max(a.trv_06, a.ingest_id) as trv_06,
    arg_max(a.trv_07, a.ingest_id) as trv_07,
    arg_max(a.trv_08, a.ingest_id) as trv_08,
    arg_max(a.trv_09, a.ingest_id) as trv_09,
    arg_max(a.trv_10, a.ingest_id) as trv_10,
    arg_max(a.trv_11, a.ingest_id) as trv_11,
    arg_max(a.tvr_00, a.ingest_id) as tvr_00,
    arg_max(a.tvr_01, a.ingest_id) as tvr_01,
    arg_max(a.tvr_02, a.ingest_id) as tvr_02,
    arg_max(a.tvr_03, a.ingest_id) as tvr_03,
    arg_max(a.tvr_04, a.ingest_id) as tvr_04,
    arg_max(a.tvr_05, a.ingest_id) as tvr_05,
    arg_max(a.tvr_06, a.ingest_id) as tvr_06,
    arg_max(a.tvr_07, a.ingest_id) as tvr_07,
    arg_max(a.tvr_08, a.ingest_id) as tvr_08,
    arg_max(a.tvr_09, a.ingest_id) as tvr_09,
    arg_max(a.tvr_10, a.ingest_id) as tvr_10,
    arg_max(a.tvr_11, a.ingest_id) as tvr_11,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_alignment3ds as a
group by a.id
