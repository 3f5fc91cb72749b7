-- one distinct stimulus condition of a session: a stimulus with all its parameters
-- spec: ecephys EC-3, 5 and 7
-- sdk: EcephysSession.stimulus_conditions
-- partition: session_id
--   session_id                  session
--   stimulus_condition_id       0-based, in order of the first presentation
--   stimulus_name               stimulus
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
--   n_presentations             presentations of the condition, those in invalid times included
--   n_valid_presentations       presentations of the condition outside of invalid times
--   is_null_condition           a blank: gratings without a frequency, scenes without an image
with conditions as (
    select
        p.session_id,
        p.stimulus_condition_id,
        p.stimulus_name,
        any_value(p.orientation) as orientation,
        any_value(p.spatial_frequency) as spatial_frequency,
        any_value(p.temporal_frequency) as temporal_frequency,
        any_value(p.contrast) as contrast,
        any_value(p.x_position) as x_position,
        any_value(p.y_position) as y_position,
        any_value(p.color) as color,
        any_value(p.frame) as frame,
        any_value(p.phase) as phase,
        any_value(p.size) as size,
        any_value(p.dir) as dir,
        any_value(p.speed) as speed,
        any_value(p.color_triplet) as color_triplet,
        any_value(p.parameters) as parameters,
        count(*) as n_presentations,
        count(*) filter (where not p.is_invalid) as n_valid_presentations
    from ecephys.all_stimulus_presentations as p
    group by p.session_id, p.stimulus_condition_id, p.stimulus_name
)
select
    c.session_id,
    c.stimulus_condition_id,
    c.stimulus_name,
    c.orientation,
    c.spatial_frequency,
    c.temporal_frequency,
    c.contrast,
    c.x_position,
    c.y_position,
    c.color,
    c.frame,
    c.phase,
    c.size,
    c.dir,
    c.speed,
    c.color_triplet,
    c.parameters,
    c.n_presentations,
    c.n_valid_presentations,
    case
        when c.stimulus_name like 'drifting_gratings%' then c.temporal_frequency is null
        when c.stimulus_name = 'static_gratings' then c.spatial_frequency is null
        when c.stimulus_name = 'natural_scenes' then coalesce(c.frame = -1, false)
        else false
    end as is_null_condition
from conditions as c
