-- one pair of units with the correlation of their variability over repeated trials
-- macro: ecephys.noise_correlations(responses)
--   responses       relation (session_id, unit_id, window_id, condition, spike_count), one row a unit and trial
--   session_id      session
--   unit_id         unit
--   other_unit_id   unit of the same session with a larger id
--   correlation     Pearson correlation over trials of the z-scores within each condition; NULL where no condition
--                   varies for both (1)
--   n_trials        trials compared: those of conditions in which both units vary
with _scores as (
    select
        responses.session_id,
        responses.unit_id,
        responses.window_id,
        (responses.spike_count - avg(responses.spike_count) over w)
            / nullif(stddev_pop(responses.spike_count) over w, 0) as z
    from query_table(responses) as responses
    window w as (partition by responses.session_id, responses.unit_id, responses.condition)
)
select
    a.session_id,
    a.unit_id,
    b.unit_id as other_unit_id,
    case when count(*) filter (where a.z is not null and b.z is not null) > 0 then corr(a.z, b.z) end as correlation,
    count(*) filter (where a.z is not null and b.z is not null) as n_trials
from _scores as a
join _scores as b
    on b.session_id = a.session_id
    and b.window_id = a.window_id
    and b.unit_id > a.unit_id
group by a.session_id, a.unit_id, b.unit_id
