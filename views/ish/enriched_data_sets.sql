-- one image series, by how much more its genes are expressed in a structure than in another, most first
-- spec: connectivity Q23
-- macro: ish.enriched_data_sets(target, contrast, least_energy := 0.0)
--   target            id, acronym or name of a structure
--   contrast          id, acronym or name of what it is compared with; where it holds the target, of the rest of it
--   least_energy      only series whose energy in the target is above
--   data_set_id       image series
--   gene_acronyms     symbols of the genes
--   target_energy     expression energy in the target
--   contrast_energy   expression energy in the contrast, the target left out
--   enrichment        target by contrast; NULL where nothing is expressed in the contrast
with named as (
    select
        (select t.structure_id from ccf.find_structures([target]) as t) as target_id,
        (select t.structure_id from ccf.find_structures([contrast]) as t) as contrast_id
),
inside as (
    select n.target_id, n.contrast_id, count(c.descendant_id) > 0 as is_inside
    from named as n
    left join ccf.structure_closure as c on c.ancestor_id = n.contrast_id and c.descendant_id = n.target_id
    group by n.target_id, n.contrast_id
),
energies as (
    select
        u.data_set_id,
        any_value(u.gene_acronyms) as gene_acronyms,
        any_value(u.expression_energy) filter (u.structure_id = i.target_id) as target_energy,
        any_value(u.sum_expressing_pixel_intensity) filter (u.structure_id = i.target_id) as target_sum,
        any_value(u.sum_pixels) filter (u.structure_id = i.target_id) as target_pixels,
        any_value(u.sum_expressing_pixel_intensity) filter (u.structure_id = i.contrast_id) as contrast_sum,
        any_value(u.sum_pixels) filter (u.structure_id = i.contrast_id) as contrast_pixels,
        any_value(i.is_inside) as is_inside
    from ish.unionizes as u
    join inside as i on u.structure_id in (i.target_id, i.contrast_id)
    group by u.data_set_id
),
compared as (
    select
        e.data_set_id,
        e.gene_acronyms,
        e.target_energy,
        case
            when e.is_inside then (e.contrast_sum - e.target_sum) / nullif(e.contrast_pixels - e.target_pixels, 0)
            else e.contrast_sum / nullif(e.contrast_pixels, 0)
        end as contrast_energy
    from energies as e
)
select
    c.data_set_id,
    c.gene_acronyms,
    c.target_energy,
    c.contrast_energy,
    c.target_energy / nullif(c.contrast_energy, 0) as enrichment
from compared as c
where c.target_energy > least_energy::double
order by enrichment desc nulls last, c.data_set_id
