-- one sample of one column of a TimeSeries
-- spec: NWB core, TimeSeries
-- partition: file_id
--   file_id         NWB file
--   path            the series
--   column_index    column of the data, flattened behind the time axis
--   sample          index along the time axis, from 0
--   timestamp       time of the sample, stored or from starting time and rate (s)
--   value           sample * conversion + offset, in the unit that unit names; NULL in a text series
--   text_value      sample of a text series
--   unit            unit of value
-- Irregular time stamps are stored once, with column 0.
with chunks as (
    select
        c.file_id,
        c.path,
        c.column_index,
        c.first_sample,
        case when c.column_index = 0 then c.timestamps else z.timestamps end as timestamps,
        c.integers,
        c.reals,
        c.texts
    from nwb.series_chunks as c
    left join nwb.series_chunks as z
        on z.file_id = c.file_id
        and z.path = c.path
        and z.chunk = c.chunk
        and z.column_index = 0
        and c.column_index > 0
),
samples as (
    select
        c.file_id,
        c.path,
        c.column_index,
        c.first_sample,
        unnest(range(coalesce(len(c.integers), len(c.reals), len(c.texts)))) as position,
        unnest(c.timestamps) as timestamp,
        unnest(c.integers) as integer_value,
        unnest(c.reals) as real_value,
        unnest(c.texts) as text_value
    from chunks as c
)
select
    x.file_id,
    x.path,
    x.column_index,
    x.first_sample + x.position as sample,
    coalesce(x.timestamp, s.starting_time + (x.first_sample + x.position) / s.rate) as timestamp,
    coalesce(x.integer_value::double, x.real_value) * coalesce(s.conversion, 1) + coalesce(s.value_offset, 0) as value,
    x.text_value,
    s.unit
from samples as x
join nwb.stored_series as s on s.file_id = x.file_id and s.path = x.path
