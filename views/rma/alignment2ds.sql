-- one alignment of an image to its stack of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.section_image_id, a.ingest_id) as section_image_id,
    arg_max(a.tsv_00, a.ingest_id) as tsv_00,
    arg_max(a.tsv_01, a.ingest_id) as tsv_01,
    arg_max(a.tsv_02, a.ingest_id) as tsv_02,
    arg_max(a.tsv_03, a.ingest_id) as tsv_03,
    arg_max(a.tsv_04, a.ingest_id) as tsv_04,
    arg_max(a.tsv_05, a.ingest_id) as tsv_05,
    arg_max(a.tvs_00, a.ingest_id) as tvs_00,
    arg_max(a.tvs_01, a.ingest_id) as tvs_01,
    arg_max(a.tvs_02, a.ingest_id) as tvs_02,
    arg_max(a.tvs_03, a.ingest_id) as tvs_03,
    arg_max(a.tvs_04, a.ingest_id) as tvs_04,
    arg_max(a.tvs_05, a.ingest_id) as tvs_05,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_alignment2ds as a
group by a.id
