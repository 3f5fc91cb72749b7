-- one record nested in another one's list, in any answer of the API
-- spec: api 2.8.1, 3.1
select
    a.owner_model,
    a.owner_id,
    a.association,
    a.member_model,
    a.member_id,
    arg_max(a.member_index, a.ingest_id) as member_index
from rma.answered_links as a
group by all
