-- one image series with one of the genes that it shows; those that failed the control of quality are left out
-- spec: connectivity 2.1, 3.5, CON-036
-- sdk: MouseAtlasApi.get_section_data_sets, MouseAtlasApi.MOUSE_ATLAS_PRODUCTS, MouseAtlasApi.DEVMOUSE_ATLAS_PRODUCTS
-- macro: ish.find_data_sets(genes := null, products := [1], planes := null, with_failed := false)
--   genes                  one or a list of symbols, without regard to case; NULL: all
--   products               one or a list of products: 1 adult mouse, 3 developing mouse; NULL: all
--   planes                 one or a list of coronal, sagittal; NULL: both
--   with_failed            those that failed as well
--   data_set_id            image series
--   gene_id                gene in the warehouse
--   gene_acronym           symbol
--   plane_of_section       coronal or sagittal
--   age                    age of the animal
--   section_thickness_um   thickness of a section (um)
--   reference_space_id     9 grows to the right along ml, 10 to the left
select
    d.data_set_id,
    g.gene_id,
    g.gene_acronym,
    d.plane_of_section,
    d.age,
    d.section_thickness_um,
    d.reference_space_id
from ish.data_sets as d
join ish.data_set_genes as g using (data_set_id)
where (with_failed or d.failed is not true)
    and (products is null or list_has_any(d.product_ids, lake.id_list(products)))
    and (planes is null or list_contains(lake.text_list(planes), d.plane_of_section))
    and (genes is null or list_contains(list_transform(lake.text_list(genes), lambda one: lower(one)), lower(g.gene_acronym)))
order by d.data_set_id, g.gene_id
