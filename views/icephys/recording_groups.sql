-- one group of intracellular recordings: made at once, in sequence, in repetition, or under one condition
-- spec: cell_types 2.4, 3.2, CT-066
--   file_id           file the table of recordings is in
--   group_level       simultaneous, sequential, repetition or condition; each is of groups of the one before
--   group_id          the group, as the file numbers it
--   parent_id         the group of the next level that it belongs to; NULL for conditions and where none is told
--   stimulus_type     what a sequence is called; NULL on other levels
--   n_recordings      rows of the table of recordings in it
--   n_sweeps          sweeps made of them
--   n_cells           cells they are of
--   recording_ids     the rows, as the file numbers them
with leveled as (
    select
        r.file_id,
        r.recording_id,
        r.specimen_id,
        r.sweep_number,
        unnest([
            {
                'group_level': 'simultaneous',
                'group_id': r.simultaneous_recording_id,
                'parent_id': r.sequential_recording_id,
                'stimulus_type': null::varchar
            },
            {
                'group_level': 'sequential',
                'group_id': r.sequential_recording_id,
                'parent_id': r.repetition_id,
                'stimulus_type': r.stimulus_type
            },
            {
                'group_level': 'repetition',
                'group_id': r.repetition_id,
                'parent_id': r.experimental_condition_id,
                'stimulus_type': null::varchar
            },
            {
                'group_level': 'condition',
                'group_id': r.experimental_condition_id,
                'parent_id': null::bigint,
                'stimulus_type': null::varchar
            }
        ]) as told
    from icephys.intracellular_recordings as r
)
select
    l.file_id,
    l.told.group_level as group_level,
    l.told.group_id as group_id,
    l.told.parent_id as parent_id,
    l.told.stimulus_type as stimulus_type,
    count(*) as n_recordings,
    count(l.sweep_number) as n_sweeps,
    count(distinct l.specimen_id) as n_cells,
    list(l.recording_id order by l.recording_id) as recording_ids
from leveled as l
where l.told.group_id is not null
group by all
