-- one gene, as a list of genes tells of it, or an image series that shows it
-- spec: connectivity 3.5, CON-036
-- sdk: MouseAtlasApi.get_genes, MouseAtlasApi.HUMAN_ORGANISM, MouseAtlasApi.MOUSE_ORGANISM
--   gene_id         gene in the warehouse
--   gene_acronym    symbol
--   gene_name       name
--   entrez_id       gene in Entrez
--   organism_id     1 human, 2 mouse
--   chromosome_id   chromosome in the warehouse
--   chromosome      name of the chromosome
with told as (
    select
        g.gene_id,
        g.gene_acronym,
        g.gene_name,
        g.entrez_id,
        g.organism_id,
        g.chromosome_id,
        g.chromosome,
        1 as place
    from ish.listed_genes as g
    union all
    select
        d.gene_id,
        d.gene_acronym,
        d.gene_name,
        d.entrez_id,
        d.organism_id,
        null as chromosome_id,
        null as chromosome,
        2 as place
    from ish.data_set_genes as d
)
select
    t.gene_id,
    arg_min(t.gene_acronym, t.place) as gene_acronym,
    arg_min(t.gene_name, t.place) as gene_name,
    arg_min(t.entrez_id, t.place) as entrez_id,
    arg_min(t.organism_id, t.place) as organism_id,
    arg_min(t.chromosome_id, t.place) as chromosome_id,
    arg_min(t.chromosome, t.place) as chromosome
from told as t
group by t.gene_id
