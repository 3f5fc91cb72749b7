-- one pair of units with the correlation of their mean responses to the conditions
-- macro: ecephys.signal_correlations(responses)
--   responses       relation (session_id, unit_id, condition, spike_count), one row a unit and trial
--   session_id      session
--   unit_id         unit
--   other_unit_id   unit of the same session with a larger id
--   correlation     Pearson correlation over conditions; NULL where a unit's means do not vary (1)
--   n_conditions    conditions compared
with _tuning as (
    select responses.session_id, responses.unit_id, responses.condition, avg(responses.spike_count) as response
    from query_table(responses) as responses
    group by all
)
select
    a.session_id,
    a.unit_id,
    b.unit_id as other_unit_id,
    case when stddev_pop(a.response) > 0 and stddev_pop(b.response) > 0 then corr(a.response, b.response) end
        as correlation,
    count(*) as n_conditions
from _tuning as a
join _tuning as b
    on b.session_id = a.session_id
    and b.condition is not distinct from a.condition
    and b.unit_id > a.unit_id
group by a.session_id, a.unit_id, b.unit_id
