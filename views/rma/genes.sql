-- one gene of the warehouse, each attribute as the latest answer of the API that tells it has it
-- spec: api 2.8.1, 3.1
select
    a.id,
    arg_max(a.acronym, a.ingest_id) as acronym,
    arg_max(a.name, a.ingest_id) as name,
    arg_max(a.original_symbol, a.ingest_id) as original_symbol,
    arg_max(a.original_name, a.ingest_id) as original_name,
    arg_max(a.alias_tags, a.ingest_id) as alias_tags,
    arg_max(a.ensembl_id, a.ingest_id) as ensembl_id,
    arg_max(a.legacy_ensembl_gene_id, a.ingest_id) as legacy_ensembl_gene_id,
    arg_max(a.type, a.ingest_id) as type,
    arg_max(a.version_status, a.ingest_id) as version_status,
    arg_max(a.entrez_id, a.ingest_id) as entrez_id,
    arg_max(a.homologene_id, a.ingest_id) as homologene_id,
    arg_max(a.organism_id, a.ingest_id) as organism_id,
    arg_max(a.chromosome_id, a.ingest_id) as chromosome_id,
    arg_max(a.reference_genome_id, a.ingest_id) as reference_genome_id,
    arg_max(a.genomic_reference_update_id, a.ingest_id) as genomic_reference_update_id,
    arg_max(a.sphinx_id, a.ingest_id) as sphinx_id,
    arg_max(a.extra, a.ingest_id) as extra
from rma.answered_genes as a
group by a.id
