-- one pair of consecutive stimulus presentations
-- spec: ecephys EC-4
-- sdk: EcephysSession.inter_presentation_intervals
-- partition: session_id
--   session_id              session
--   from_presentation_id    the earlier presentation
--   to_presentation_id      the later presentation
--   gap                     onset of the later less end of the earlier; negative where they overlap (s)
--   from_stimulus_name      stimulus of the earlier
--   to_stimulus_name        stimulus of the later
with pairs as (
    select
        p.session_id,
        p.stimulus_presentation_id as from_presentation_id,
        lead(p.stimulus_presentation_id) over in_order as to_presentation_id,
        lead(p.start_time) over in_order - p.stop_time as gap,
        p.stimulus_name as from_stimulus_name,
        lead(p.stimulus_name) over in_order as to_stimulus_name
    from ecephys.stimulus_presentations as p
    window in_order as (partition by p.session_id order by p.start_time, p.stimulus_presentation_id)
)
select
    p.session_id,
    p.from_presentation_id,
    p.to_presentation_id,
    p.gap,
    p.from_stimulus_name,
    p.to_stimulus_name
from pairs as p
where p.to_presentation_id is not null
