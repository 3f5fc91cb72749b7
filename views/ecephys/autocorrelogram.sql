-- one bin of the lags between the spikes of one unit; zeros too
-- macro: ecephys.autocorrelogram(units, bin := 0.001, max_lag := 0.05)
--   units        relation (session_id, unit_id)
--   bin          width of a bin (s)
--   max_lag      lags in [-max_lag, max_lag) are counted (s)
--   session_id   session
--   unit_id      unit
--   lag_start    start of the bin [lag_start, lag_start + bin) (s)
--   n_pairs      pairs of spikes; no spike is paired with itself
with _units as (
    select distinct units.session_id, units.unit_id
    from query_table(units) as units
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
_histograms as (
    select
        u.session_id,
        u.unit_id,
        g.edges[:-2] as lag_starts,
        correlogram(
            coalesce(t.spike_times, ''::blob), coalesce(t.spike_times, ''::blob), pack(g.edges), true
        ) as counts
    from _units as u
    cross join _grid as g
    left join ecephys.packed_trains(units) as t on t.session_id = u.session_id and t.unit_id = u.unit_id
)
select
    session_id,
    unit_id,
    unnest(lag_starts) as lag_start,
    unnest(counts) as n_pairs
from _histograms
