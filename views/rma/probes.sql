-- one probe of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.name, a.ingest_id) as name,
    arg_max(a.label, a.ingest_id) as label,
    arg_max(a.ncbi_accession_number, a.ingest_id) as ncbi_accession_number,
    arg_max(a.probe_type, a.ingest_id) as probe_type,
    arg_max(a.fluor_color, a.ingest_id) as fluor_color,
    arg_max(a.gene_id, a.ingest_id) as gene_id,
    arg_max(a.orientation_id, a.ingest_id) as orientation_id,
    arg_max(a.predicted_sequence_id, a.ingest_id) as predicted_sequence_id,
    arg_max(a.forward_sequence_id, a.ingest_id) as forward_sequence_id,
    arg_max(a.reverse_sequence_id, a.ingest_id) as reverse_sequence_id,
    arg_max(a.gi, a.ingest_id) as gi,
    arg_max(a.sphinx_id, a.ingest_id) as sphinx_id,
    arg_max(a.gc_percent, a.ingest_id) as gc_percent,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_probes as a
group by a.id
