-- one time bin of one unit's mean response to one condition of the events, with the unit's own columns; zeros too
-- macro: ecephys.psth(units, events, before := 0.5, after := 0.5, bin := 0.01)
--   units          relation (session_id, unit_id), whose further columns come along
--   events         relation (session_id, event_time), with a condition if it has one
--   before         how far before an event (s)
--   after          how far after it (s)
--   bin            width of a bin; as many whole bins as fit, from -before on (s)
--   condition      condition of the events; NULL where they have none
--   bin_start      start of the bin, from the event; the bin is [bin_start, bin_start + bin) (s)
--   spikes_per_s   mean rate over the events of the condition (spikes/s)
--   n_events       events of the condition in the unit's session
with _events as (
    select
        events.session_id,
        events.event_time::double as event_time,
        events.condition
    from (
        select null as condition where false
        union all by name
        from query_table(events)
    ) as events
    where not isnan(events.event_time::double)
),
_bins as (
    select
        edge as bin_start,
        ordinal - 1 as bin_index
    from unnest(
        list_transform(
            range(greatest(floor((before::double + after::double) / bin::double + 1e-6), 0)::bigint),
            lambda i: round(i * bin::double - before::double, 9)
        )
    ) with ordinality as b(edge, ordinal)
),
_counts as (
    from ecephys.counts_around(
        units, '_events',
        list_transform(
            range(greatest(floor((before::double + after::double) / bin::double + 1e-6), 0)::bigint + 1),
            lambda i: round(i * bin::double - before::double, 9)
        ),
        false
    )
),
_conditions as (
    select session_id, condition, count(*) as n_events
    from _events
    group by session_id, condition
)
select
    u.*,
    c.condition,
    b.bin_start,
    coalesce(n.spike_count, 0) / (c.n_events * bin::double) as spikes_per_s,
    c.n_events
from query_table(units) as u
join _conditions as c on c.session_id = u.session_id
cross join _bins as b
left join _counts as n
    on n.session_id = u.session_id
    and n.unit_id = u.unit_id
    and n.condition is not distinct from c.condition
    and n.bin_index = b.bin_index
