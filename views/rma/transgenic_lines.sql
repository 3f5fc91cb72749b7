-- one transgenic line of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.name, a.ingest_id) as name,
    arg_max(a.description, a.ingest_id) as description,
    arg_max(a.stock_number, a.ingest_id) as stock_number,
    arg_max(a.transgenic_line_type_name, a.ingest_id) as transgenic_line_type_name,
    arg_max(a.transgenic_line_type_code, a.ingest_id) as transgenic_line_type_code,
    arg_max(a.transgenic_line_source_name, a.ingest_id) as transgenic_line_source_name,
    arg_max(a.originating_lab, a.ingest_id) as originating_lab,
    arg_max(a.url_prefix, a.ingest_id) as url_prefix,
    arg_max(a.url_suffix, a.ingest_id) as url_suffix,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_transgenic_lines as a
group by a.id
