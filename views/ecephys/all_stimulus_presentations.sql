-- one stimulus presentation, those in invalid times unmasked
-- spec: ecephys EC-3, 4-6
-- sdk: EcephysSession.stimulus_presentations
-- partition: session_id
--   session_id                  session
--   stimulus_presentation_id    0-based in order of start time, or as the file gives it
--   start_time                  onset on the master clock (s)
--   stop_time                   end on the master clock (s)
--   duration                    stop_time - start_time (s)
--   stimulus_name               stimulus, or the interval table it comes from
--   stimulus_block              run of one stimulus, in order
--   stimulus_index              position of the stimulus in the programme
--   stimulus_condition_id       0-based rank of the first presentation with the same name and parameters
--   orientation                 orientation or direction of motion (deg)
--   spatial_frequency           spatial frequency (1/deg)
--   temporal_frequency          temporal frequency (Hz)
--   contrast                    contrast (1)
--   x_position                  azimuth of the stimulus centre (deg)
--   y_position                  elevation of the stimulus centre (deg)
--   color                       luminance, -1 black to 1 white (1)
--   frame                       image or movie frame; -1 is a blank
--   phase                       phase, or a pair as text
--   size                        size in degrees, a pair as text
--   dir                         direction of dot motion (deg)
--   speed                       speed of dot motion
--   color_triplet               colour given as a list
--   parameters                  all other parameters as a JSON object, as the file spells them
--   source_table                the interval table it came from
--   is_invalid                  overlaps an invalid time tagged 'stimulus', end points included
with distrusted as (
    select
        i.session_id,
        list({'start_time': i.start_time, 'stop_time': i.stop_time}) as intervals
    from ecephys.invalid_times as i
    where list_contains(i.tags, 'stimulus')
    group by i.session_id
),
-- A condition is every parameter, the detailed ones included; one that does not apply equals itself.
conditioned as (
    select
        p.session_id,
        p.stimulus_presentation_id,
        p.start_time,
        p.stop_time,
        p.stimulus_name,
        p.stimulus_block,
        p.stimulus_index,
        p.orientation,
        p.spatial_frequency,
        p.temporal_frequency,
        p.contrast,
        p.x_position,
        p.y_position,
        p.color,
        p.frame,
        p.phase,
        p.size,
        p.dir,
        p.speed,
        p.color_triplet,
        p.parameters,
        p.source_table,
        -- not min(): the engine would turn that into a join with all sessions
        first_value(p.stimulus_presentation_id) over (
            partition by
                p.session_id, p.stimulus_name, p.orientation, p.spatial_frequency, p.temporal_frequency, p.contrast,
                p.x_position, p.y_position, p.color, p.frame, p.phase, p.size, p.dir, p.speed, p.color_triplet,
                p.parameters
            order by p.stimulus_presentation_id
        ) as first_of_condition
    from ecephys.nwb_presentations as p
)
select
    p.session_id,
    p.stimulus_presentation_id,
    p.start_time,
    p.stop_time,
    p.stop_time - p.start_time as duration,
    p.stimulus_name,
    p.stimulus_block,
    p.stimulus_index,
    dense_rank() over (partition by p.session_id order by p.first_of_condition) - 1 as stimulus_condition_id,
    p.orientation,
    p.spatial_frequency,
    p.temporal_frequency,
    p.contrast,
    p.x_position,
    p.y_position,
    p.color,
    p.frame,
    p.phase,
    p.size,
    p.dir,
    p.speed,
    p.color_triplet,
    p.parameters,
    p.source_table,
    coalesce(
        list_bool_or(list_transform(
            d.intervals,
            lambda i: i.start_time <= coalesce(p.stop_time, p.start_time) and p.start_time <= i.stop_time)),
        false) as is_invalid
from conditioned as p
left join distrusted as d on d.session_id = p.session_id
