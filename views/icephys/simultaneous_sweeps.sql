-- one sweep of a cell beside one of another cell recorded at the same time
-- spec: cell_types 2.4, 3.2, CT-066
-- Told by the file's table of recordings where it has one, else by equal sweep numbers of one file.
--   specimen_id          cell
--   sweep_number         its sweep
--   other_specimen_id    cell recorded with it
--   other_sweep_number   sweep of that cell
--   file_id              file both are in
with grouped as (
    select
        s.specimen_id,
        s.sweep_number,
        s.file_id,
        r.simultaneous_recording_id
    from icephys.nwb_sweeps as s
    left join icephys.intracellular_recordings as r
        on r.file_id = s.file_id
        and r.specimen_id = s.specimen_id
        and r.sweep_number = s.sweep_number
)
select
    a.specimen_id,
    a.sweep_number,
    b.specimen_id as other_specimen_id,
    b.sweep_number as other_sweep_number,
    a.file_id
from grouped as a
join grouped as b
    on b.file_id = a.file_id
    and b.specimen_id <> a.specimen_id
    and case
        when a.simultaneous_recording_id is null and b.simultaneous_recording_id is null
            then a.sweep_number = b.sweep_number
        else a.simultaneous_recording_id = b.simultaneous_recording_id
    end
