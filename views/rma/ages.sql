-- one age of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.name, a.ingest_id) as name,
    arg_max(a.description, a.ingest_id) as description,
    arg_max(a.tags, a.ingest_id) as tags,
    arg_max(a.days, a.ingest_id) as days,
    arg_max(a.embryonic, a.ingest_id) as embryonic,
    arg_max(a.organism_id, a.ingest_id) as organism_id,
    arg_max(a.age_group_id, a.ingest_id) as age_group_id,
    arg_max(a.developmental_stage_id, a.ingest_id) as developmental_stage_id,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_ages as a
group by a.id
