-- one stereotaxic injection coordinate of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.stereotaxic_injection_id, a.ingest_id) as stereotaxic_injection_id,
    arg_max(a.coordinates_ap, a.ingest_id) as coordinates_ap,
    arg_max(a.coordinates_dv, a.ingest_id) as coordinates_dv,
    arg_max(a.coordinates_ml, a.ingest_id) as coordinates_ml,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_stereotaxic_injection_coordinates as a
group by a.id
