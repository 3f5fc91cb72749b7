-- one bin of one unit with the spikes in it, summed over the events of one condition; bins without spikes are absent
-- macro: ecephys.counts_around(units, events, edges, closed)
--   units         relation (session_id, unit_id)
--   events        relation (session_id, event_time, condition)
--   edges         list of bin edges from the event, ascending (s)
--   closed        true: bins include both edges, as the reference's (OD-14); false: bins are [edge, next edge)
--   session_id    session
--   unit_id       unit
--   condition     condition of the events
--   bin_index     bin, from 0
--   spike_count   spikes in the bin, over all events of the condition
with _units as (
    select distinct units.session_id, units.unit_id
    from query_table(units) as units
),
_windows as (
    select
        events.session_id,
        {'event_time': events.event_time, 'condition': events.condition} as window_id,
        events.event_time + edges[1] as start_time,
        events.event_time + edges[-1] as stop_time
    from query_table(events) as events
),
_placed as (
    select session_id, time_block, bucket, unnest(window_ids) as e
    from ecephys.windows_by_block('_windows')
),
_grouped as (
    select
        session_id,
        time_block,
        bucket,
        e,
        dense_rank() over (partition by bucket order by e.condition) - 1 as group_index
    from _placed
),
_blocks as materialized (
    select
        session_id,
        time_block,
        bucket,
        pack(list(e.event_time order by e.event_time, group_index)) as event_times,
        pack(list(group_index order by e.event_time, group_index)) as groups,
        (max(group_index) + 1)::int as n_groups
    from _grouped
    group by session_id, time_block, bucket
),
_group_conditions as (
    select distinct bucket, group_index, e.condition as condition
    from _grouped
),
_counted as (
    select
        t.session_id,
        t.unit_id,
        b.bucket,
        count_spikes_around_events(
            t.session_id, t.time_block, t.unit_id,
            b.event_times, b.groups, b.n_groups, pack(edges), closed
        ) as counts
    from ecephys.spike_trains as t
    join _units as u on u.session_id = t.session_id and u.unit_id = t.unit_id
    join _blocks as b on b.session_id = t.session_id and b.time_block = t.time_block
),
_by_group as (
    select session_id, unit_id, bucket, unnest(counts) as counts, generate_subscripts(counts, 1) - 1 as group_index
    from _counted
),
_by_bin as (
    select
        n.session_id,
        n.unit_id,
        g.condition,
        unnest(n.counts) as spike_count,
        generate_subscripts(n.counts, 1) - 1 as bin_index
    from _by_group as n
    join _group_conditions as g on g.bucket = n.bucket and g.group_index = n.group_index
)
select session_id, unit_id, condition, bin_index, sum(spike_count)::bigint as spike_count
from _by_bin
where spike_count > 0
group by session_id, unit_id, condition, bin_index
