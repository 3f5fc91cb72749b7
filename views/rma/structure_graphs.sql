-- one structure graph of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.name, a.ingest_id) as name,
    arg_max(a.root_structure_id, a.ingest_id) as root_structure_id,
    arg_max(a.ontology_id, a.ingest_id) as ontology_id,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_structure_graphs as a
group by a.id
