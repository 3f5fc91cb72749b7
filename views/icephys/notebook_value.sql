-- what the laboratory notebook of a recording says of a sweep: the last entry that says something
-- spec: cell_types 2.3, CT-067
-- macro: icephys.notebook_value(specimen, sweep, key, enabled_by := null)
--   specimen      cell
--   sweep         number of the sweep
--   key           what is looked for: Bridge Bal Value, I-Clamp Holding Level, Stim Wave Name, Set Sweep Count ...
--   enabled_by    key that switches it: where its last entry is 0 the value is NULL; Bridge Bal Enable ...
--   headstage     headstage of the sweep, or 8 where the notebook says it of all
--   value         a number; NULL where it is a text, or switched off
--   value_text    a text; NULL where it is a number, or switched off
--   value_unit    unit, as the notebook tells it
with _entries as (
    select
        b.entry_key,
        b.headstage,
        b.value,
        b.value_text,
        b.value_unit
    from icephys.nwb_sweeps as s
    join icephys.lab_notebook as b
        on b.file_id = s.file_id
        and b.device = s.device
        and b.sweep_number = s.device_sweep_number
        and b.headstage in (s.headstage, 8)
    where s.specimen_id = specimen::bigint
        and s.sweep_number = sweep::bigint
        and b.entry_key in (key, enabled_by)
        and lake.require_sweep(specimen, sweep, 'lab_notebook')
    qualify row_number() over (partition by b.entry_key order by b.headstage, b.entry_index desc) = 1
)
select
    e.headstage,
    case when f.value is distinct from 0 then e.value end as value,
    case when f.value is distinct from 0 then e.value_text end as value_text,
    e.value_unit
from _entries as e
left join _entries as f on f.entry_key = enabled_by
where e.entry_key = key
