-- one time bin of one unit's mean response to one stimulus condition; zeros too
-- spec: ecephys EC-9, OD-14
-- sdk: StimulusAnalysis.conditionwise_psth
-- macro: ecephys.conditionwise_psth(presentations, units, bin_edges, corrected := false)
--   presentations   relation (session_id, stimulus_condition_id, start_time); those without a condition are left out
--   units           relation (session_id, unit_id)
--   bin_edges       list of bin edges from the onset, ascending; the reference's are [0, 0.001, ... < duration] (s)
--   corrected       false: bins include both edges, as in the reference (OD-14); true: bins are [edge, next edge)
--   session_id      session
--   unit_id         unit
--   stimulus_condition_id   condition
--   bin_index       bin, from 0
--   time_relative_to_stimulus_onset   centre of the bin (s)
--   spike_mean      mean spikes in the bin, over the presentations of the condition
with _units as (
    select distinct units.session_id, units.unit_id
    from query_table(units) as units
),
_events as (
    select
        presentations.session_id,
        presentations.start_time::double as event_time,
        presentations.stimulus_condition_id as condition
    from query_table(presentations) as presentations
    where presentations.stimulus_condition_id is not null
),
_conditions as (
    select session_id, condition, count(*) as n_presentations
    from _events
    group by session_id, condition
),
_bins as (
    select
        ordinal - 1 as bin_index,
        edges[ordinal] + (edges[ordinal + 1] - edges[ordinal]) / 2 as centre
    from (select bin_edges::double[] as edges, unnest(range(1, len(bin_edges))) as ordinal)
),
_counts as (
    from ecephys.counts_around(units, '_events', bin_edges::double[], not corrected)
)
select
    u.session_id,
    u.unit_id,
    c.condition as stimulus_condition_id,
    b.bin_index,
    b.centre as time_relative_to_stimulus_onset,
    coalesce(n.spike_count, 0) / c.n_presentations as spike_mean
from _units as u
join _conditions as c on c.session_id = u.session_id
cross join _bins as b
left join _counts as n
    on n.session_id = u.session_id
    and n.unit_id = u.unit_id
    and n.condition = c.condition
    and n.bin_index = b.bin_index
