-- one alternate image of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.sub_image_id, a.ingest_id) as sub_image_id,
    arg_max(a.path, a.ingest_id) as path,
    arg_max(a.image_type, a.ingest_id) as image_type,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_alternate_images as a
group by a.id
