-- one bin of one unit's histogram of interspike intervals; zeros too
-- macro: ecephys.isi_histogram(units, bin := 0.001, max_interval := 0.1)
--   units            relation (session_id, unit_id)
--   bin              width of a bin (s)
--   max_interval     longer intervals are left out (s)
--   session_id       session
--   unit_id          unit
--   interval_start   start of the bin [interval_start, interval_start + bin) (s)
--   n_intervals      intervals in the bin
with _units as (
    select distinct units.session_id, units.unit_id
    from query_table(units) as units
),
_bins as (
    select unnest(range(greatest(floor(max_interval::double / bin::double + 1e-6), 0)::bigint)) as bin_index
),
_counts as (
    select
        session_id,
        unit_id,
        floor(interval / bin::double)::bigint as bin_index,
        count(*) as n_intervals
    from ecephys.interspike_intervals(units)
    where interval < max_interval::double
    group by all
)
select
    u.session_id,
    u.unit_id,
    round(b.bin_index * bin::double, 9) as interval_start,
    coalesce(c.n_intervals, 0) as n_intervals
from _units as u
cross join _bins as b
left join _counts as c
    on c.session_id = u.session_id and c.unit_id = u.unit_id and c.bin_index = b.bin_index
