-- one cell that the lake knows of, with what is here of its recording
-- spec: cell_types CT-200
-- kept: for whoever fetches a sweep, who would wait for this to be planned
--   specimen_id       cell
--   is_recorded       its recording is here
--   sweep_numbers     sweeps of the recording
--   available_parts   parts of the recording's file that were not taken
--   source_url        where the file was taken from
with _told as (
    select n.specimen_id, n.sweep_number, n.ingest_id, true as is_recorded
    from icephys.nwb_sweeps as n
    union all by name
    select s.specimen_id
    from icephys.api_sweeps as s
    union all by name
    select c.specimen_id
    from icephys.csv_specimen_details as c
    union all by name
    select d.specimen_id
    from icephys.api_specimen_details as d
),
_cells as (
    select
        t.specimen_id,
        coalesce(bool_or(t.is_recorded), false) as is_recorded,
        list(distinct t.sweep_number) filter (where t.sweep_number is not null) as sweep_numbers,
        any_value(t.ingest_id) as ingest_id
    from _told as t
    group by t.specimen_id
),
_available as (
    select p.ingest_id, list(p.part) as parts
    from lake.parts as p
    where p.state = 'available'
    group by p.ingest_id
)
select
    c.specimen_id,
    c.is_recorded,
    coalesce(c.sweep_numbers, []) as sweep_numbers,
    coalesce(a.parts, []) as available_parts,
    i.source_url
from _cells as c
left join _available as a on a.ingest_id = c.ingest_id
left join lake.ingests as i on i.ingest_id = c.ingest_id
