-- one stimulus condition of one unit with its spikes over the presentations of that condition; silent pairs too
-- spec: ecephys EC-8, OD-27
-- sdk: EcephysSession.conditionwise_spike_statistics
-- macro: ecephys.conditionwise_spike_statistics(presentations, units, use_rates := false, corrected := false)
--   presentations   relation (session_id, stimulus_presentation_id, stimulus_condition_id, start_time, stop_time);
--                   presentations without a condition are left out
--   units           relation (session_id, unit_id)
--   use_rates       true: means and deviations are of rates (spikes/s), and spike_count is NULL
--   corrected       false: spikes in (start_time, stop_time], as the reference (OD-42); true: [start_time, stop_time)
--   session_id      session
--   unit_id         unit
--   stimulus_condition_id   condition
--   spike_count     spikes over all presentations of the condition
--   stimulus_presentation_count   presentations of the condition
--   spike_mean      mean over presentations
--   spike_std       sample standard deviation; NULL for one presentation
--   spike_sem       spike_std / sqrt(stimulus_presentation_count); NULL for one presentation
with _windows as (
    select
        presentations.session_id,
        {
            'condition': presentations.stimulus_condition_id,
            'duration': presentations.stop_time::double - presentations.start_time::double,
            'id': presentations.stimulus_presentation_id
        } as window_id,
        case when corrected then presentations.start_time::double
            else nextafter(presentations.start_time::double, 'infinity'::double) end as start_time,
        case when corrected then presentations.stop_time::double
            else nextafter(presentations.stop_time::double, 'infinity'::double) end as stop_time
    from query_table(presentations) as presentations
    where presentations.stimulus_condition_id is not null
),
_responses as (
    select
        n.session_id,
        n.unit_id,
        n.window_id.condition as stimulus_condition_id,
        n.spike_count,
        case when use_rates then n.spike_count / n.window_id.duration else n.spike_count::double end as response
    from ecephys.spike_counts(units, '_windows') as n
)
select
    session_id,
    unit_id,
    stimulus_condition_id,
    case when use_rates then null else sum(spike_count)::bigint end as spike_count,
    count(*) as stimulus_presentation_count,
    avg(response) as spike_mean,
    stddev_samp(response) as spike_std,
    stddev_samp(response) / sqrt(count(*)) as spike_sem
from _responses
group by session_id, unit_id, stimulus_condition_id
