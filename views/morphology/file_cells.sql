-- one SWC or marker file with the cell it belongs to, as far as folder, number or name tell
-- spec: cell_types 2.1, 2.5
--   file_id             morphology_id or marker_file_id
--   specimen_id         the cell; NULL where nothing tells it
--   specimen_known_by   folder: the file lay in specimen_<id>; file: its number is that of a file or reconstruction
--                       of the cell; name: its name ends in the cell's number, which is no other cell's
-- Names of files spell a cell's name otherwise than the warehouse does, but end in its number as it does.
with files as (
    select s.morphology_id as file_id, s.named_specimen_id, s.named_specimen_name, s.named_file_id
    from morphology.swc_files as s
    union all
    select m.marker_file_id, m.named_specimen_id, m.named_specimen_name, m.named_file_id
    from morphology.marker_files as m
),
cells as (
    select
        s.specimen_id,
        s.reconstruction_file_id,
        regexp_extract(s.specimen_name, '([A-Z]?\d+(\.\d+){2,})$', 1) as cell_number
    from icephys.specimen_details as s
),
numbered as (
    select c.cell_number, any_value(c.specimen_id) as specimen_id
    from cells as c
    where c.cell_number <> ''
    group by c.cell_number
    having count(*) = 1
),
numbers as (
    select c.reconstruction_file_id as named_file_id, c.specimen_id
    from cells as c
    where c.reconstruction_file_id is not null
    union all
    select p.reconstruction_id, p.specimen_id
    from morphology.published_features as p
),
filed as (
    select n.named_file_id, any_value(n.specimen_id) as specimen_id
    from numbers as n
    group by n.named_file_id
    having count(distinct n.specimen_id) = 1
)
select
    f.file_id,
    coalesce(f.named_specimen_id, i.specimen_id, n.specimen_id) as specimen_id,
    case
        when f.named_specimen_id is not null then 'folder'
        when i.specimen_id is not null then 'file'
        when n.specimen_id is not null then 'name'
    end as specimen_known_by
from files as f
left join filed as i on i.named_file_id = f.named_file_id
left join numbered as n
    on n.cell_number = regexp_extract(f.named_specimen_name, '([A-Z]?\d+(\.\d+){2,})$', 1)
