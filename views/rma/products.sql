-- one product of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.name, a.ingest_id) as name,
    arg_max(a.abbreviation, a.ingest_id) as abbreviation,
    arg_max(a.resource, a.ingest_id) as resource,
    arg_max(a.description, a.ingest_id) as description,
    arg_max(a.documentation, a.ingest_id) as documentation,
    arg_max(a.tags, a.ingest_id) as tags,
    arg_max(a.species, a.ingest_id) as species,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_products as a
group by a.id
