-- one structure drawn on one image of an atlas, in the outlines of one label: how many there are, and what encloses them
-- spec: api E09, E10, 3.5
-- sdk: SvgApi.get_svg
--   section_image_id         image
--   structure_id             structure
--   structure_acronym        its acronym; NULL where its ontology is not here
--   structure_name           its name
--   graphic_group_label_id   what is drawn: 28 structures of the adult mouse, 159226751 fibre tracts ...
--   graphic_group_label      name of that
--   n_paths                  outlines of it
--   left_px                  left edge of what encloses them, in the drawing's pixels
--   top_px                   upper edge
--   right_px                 right edge
--   bottom_px                lower edge
select
    p.section_image_id,
    p.structure_id,
    any_value(s.acronym) as structure_acronym,
    any_value(s.name) as structure_name,
    p.graphic_group_label_id,
    p.graphic_group_label,
    count(*) as n_paths,
    min(p.left_px) as left_px,
    min(p.top_px) as top_px,
    max(p.right_px) as right_px,
    max(p.bottom_px) as bottom_px
from rma.svg_paths as p
left join ccf.structures as s using (structure_id)
where p.structure_id is not null
group by p.section_image_id, p.structure_id, p.graphic_group_label_id, p.graphic_group_label
