-- one donor of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.name, a.ingest_id) as name,
    arg_max(a.external_donor_name, a.ingest_id) as external_donor_name,
    arg_max(a.sex, a.ingest_id) as sex,
    arg_max(a.sex_full_name, a.ingest_id) as sex_full_name,
    arg_max(a.strain, a.ingest_id) as strain,
    arg_max(a.full_genotype, a.ingest_id) as full_genotype,
    arg_max(a.handedness, a.ingest_id) as handedness,
    arg_max(a.tags, a.ingest_id) as tags,
    arg_max(a.data, a.ingest_id) as data,
    arg_max(a.date_of_birth, a.ingest_id) as date_of_birth,
    arg_max(a.age_id, a.ingest_id) as age_id,
    arg_max(a.organism_id, a.ingest_id) as organism_id,
    arg_max(a.transgenic_mouse_id, a.ingest_id) as transgenic_mouse_id,
    arg_max(a.weight, a.ingest_id) as weight,
    arg_max(a.weight_grams, a.ingest_id) as weight_grams,
    arg_max(a.pmi, a.ingest_id) as pmi,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_donors as a
group by a.id
