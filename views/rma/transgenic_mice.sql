-- one transgenic mouse of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.name, a.ingest_id) as name,
    arg_max(a.transgenic_induction_method_name, a.ingest_id) as transgenic_induction_method_name,
    arg_max(a.transgenic_induction_method_description, a.ingest_id) as transgenic_induction_method_description,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_transgenic_mice as a
group by a.id
