-- one value that a stimulus parameter takes in a session
-- spec: ecephys EC-4, F-EC-21
-- sdk: EcephysSession.get_stimulus_parameter_values
-- macro: ecephys.stimulus_parameter_values(session, stimulus := null, drop_nulls := true)
--   session                     session_id
--   stimulus                    stimulus name; NULL takes all
--   drop_nulls                  leave out that a parameter does not apply to some presentations
--   parameter                   name of the parameter; none that never applies
--   value_index                 rank of the value within the parameter, from 0; NULL comes last
--   value                       the value as text
--   number                      the value, where it is a number
with presented as (
    select
        p.session_id,
        unnest([
            {'parameter': 'orientation', 'value': p.orientation::varchar, 'number': p.orientation},
            {'parameter': 'spatial_frequency', 'value': p.spatial_frequency::varchar, 'number': p.spatial_frequency},
            {'parameter': 'temporal_frequency', 'value': p.temporal_frequency::varchar, 'number': p.temporal_frequency},
            {'parameter': 'contrast', 'value': p.contrast::varchar, 'number': p.contrast},
            {'parameter': 'x_position', 'value': p.x_position::varchar, 'number': p.x_position},
            {'parameter': 'y_position', 'value': p.y_position::varchar, 'number': p.y_position},
            {'parameter': 'color', 'value': p.color::varchar, 'number': p.color},
            {'parameter': 'frame', 'value': p.frame::varchar, 'number': p.frame},
            {'parameter': 'phase', 'value': p.phase, 'number': try_cast(p.phase as double)},
            {'parameter': 'size', 'value': p.size, 'number': try_cast(p.size as double)},
            {'parameter': 'dir', 'value': p.dir::varchar, 'number': p.dir},
            {'parameter': 'speed', 'value': p.speed::varchar, 'number': p.speed}
        ], recursive := true)
    from ecephys.stimulus_presentations as p
    where lake.require_session(session, 'stimuli')
      and p.session_id = session
      and (stimulus is null or p.stimulus_name = stimulus)
),
distinct_values as (
    select
        v.session_id,
        v.parameter,
        v.value,
        v.number,
        bool_or(v.value is not null) over (partition by v.session_id, v.parameter) as applies
    from (select distinct p.session_id, p.parameter, p.value, p.number from presented as p) as v
)
select
    v.session_id,
    v.parameter,
    row_number() over (partition by v.parameter order by v.number nulls last, v.value nulls last) - 1 as value_index,
    v.value,
    v.number
from distinct_values as v
where v.applies
  and (v.value is not null or not drop_nulls)
