-- one stretch of a session in which one stimulus block was shown
-- spec: ecephys EC-4, OD-2
-- sdk: EcephysSession.get_stimulus_epochs
-- partition: session_id
--   session_id         session
--   epoch_index        0-based, in order of time
--   start_time         onset of the first presentation (s)
--   stop_time          end of the last presentation (s)
--   duration           stop_time - start_time (s)
--   stimulus_name      stimulus of the first presentation
--   stimulus_block     block of all its presentations; NULL in stretches that belong to none
--   n_presentations    presentations
with marked as (
    select
        p.session_id,
        p.start_time,
        p.stop_time,
        p.stimulus_name,
        p.stimulus_block,
        row_number() over in_order as position,
        -- A masked presentation has no block either, and is yet another kind than one that never had any.
        row_number() over in_order = 1
            or p.stimulus_block is distinct from lag(p.stimulus_block) over in_order
            or p.is_invalid is distinct from lag(p.is_invalid) over in_order as is_first,
        lead(p.start_time) over in_order is null
            or p.stimulus_block is distinct from lead(p.stimulus_block) over in_order
            or p.is_invalid is distinct from lead(p.is_invalid) over in_order as is_last
    from ecephys.stimulus_presentations as p
    window in_order as (partition by p.session_id order by p.start_time, p.stimulus_presentation_id)
),
-- Of an epoch's presentations only the first and the last matter: one row, or two that follow each other.
edges as (
    select
        m.session_id,
        m.start_time,
        m.is_first,
        case when m.is_last then m.stop_time else lead(m.stop_time) over in_order end as stop_time,
        case when m.is_last then m.position else lead(m.position) over in_order end - m.position + 1
            as n_presentations,
        m.stimulus_name,
        m.stimulus_block,
        m.position
    from marked as m
    where m.is_first or m.is_last
    window in_order as (partition by m.session_id order by m.position)
)
select
    e.session_id,
    row_number() over (partition by e.session_id order by e.position) - 1 as epoch_index,
    e.start_time,
    e.stop_time,
    e.stop_time - e.start_time as duration,
    e.stimulus_name,
    e.stimulus_block,
    e.n_presentations
from edges as e
where e.is_first
