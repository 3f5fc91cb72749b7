-- one bin of the lags between the spikes of two units of a session; zeros too
-- macro: ecephys.crosscorrelogram(units, others, bin := 0.001, max_lag := 0.05)
--   units           relation (session_id, unit_id): the reference
--   others          relation (session_id, unit_id): each is paired with each reference of its session
--   bin             width of a bin (s)
--   max_lag         lags in [-max_lag, max_lag) are counted (s)
--   session_id      session
--   unit_id         reference unit
--   other_unit_id   the other unit; where it is the reference, no spike is paired with itself
--   lag_start       start of the bin [lag_start, lag_start + bin) of spike_time of the other - of the reference (s)
--   n_pairs         pairs of spikes
with _references as (
    select distinct units.session_id, units.unit_id
    from query_table(units) as units
),
_others as (
    select distinct others.session_id, others.unit_id
    from query_table(others) as others
),
_wanted as (
    from _references
    union
    from _others
),
_trains as materialized (
    from ecephys.packed_trains('_wanted')
),
_grid as (
    select list_transform(
        range(
            -greatest(floor(max_lag::double / bin::double + 1e-6), 0)::bigint,
            greatest(floor(max_lag::double / bin::double + 1e-6), 0)::bigint + 1
        ),
        lambda k: round(k * bin::double, 9)
    ) as edges
),
_pairs as (
    select
        r.session_id,
        r.unit_id,
        o.unit_id as other_unit_id,
        g.edges[:-2] as lag_starts,
        correlogram(
            coalesce(a.spike_times, ''::blob), coalesce(b.spike_times, ''::blob), pack(g.edges),
            r.unit_id = o.unit_id
        ) as counts
    from _references as r
    join _others as o on o.session_id = r.session_id
    cross join _grid as g
    left join _trains as a on a.session_id = r.session_id and a.unit_id = r.unit_id
    left join _trains as b on b.session_id = o.session_id and b.unit_id = o.unit_id
)
select
    session_id,
    unit_id,
    other_unit_id,
    unnest(lag_starts) as lag_start,
    unnest(counts) as n_pairs
from _pairs
