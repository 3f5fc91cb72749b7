-- one structure center of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.structure_id, a.ingest_id) as structure_id,
    arg_max(a.reference_space_id, a.ingest_id) as reference_space_id,
    arg_max(a.x, a.ingest_id) as x,
    arg_max(a.y, a.ingest_id) as y,
    arg_max(a.z, a.ingest_id) as z,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_structure_centers as a
group by a.id
