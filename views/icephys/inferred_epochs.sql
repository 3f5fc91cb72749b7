-- one recorded sweep with its test pulse and its experiment, by what the file marks, else by what its stimulus shows
-- spec: cell_types NW-9, ST-1
-- partition: specimen_id
-- A step that begins the sweep and ends where it began is the test pulse, if the current changes again after it; the
-- experiment begins with the next sample, and lasts to the end. To have the experiment of files that mark none:
--     with mine as (
--         select s.* replace (e.experiment_start_index as start_index, e.experiment_stop_index as stop_index), ...
--         from icephys.sweeps as s join icephys.inferred_epochs as e using (specimen_id, sweep_number))
--   specimen_id              cell
--   sweep_number             sweep
--   is_marked                the file marks the experiment itself
--   test_pulse_start_index   first sample of the test pulse; NULL where there is none
--   test_pulse_stop_index    its last sample
--   experiment_start_index   first sample of the experiment
--   experiment_stop_index    its last sample
with _told as (
    select
        s.specimen_id,
        s.sweep_number,
        s.n_samples,
        s.experiment_start_index is not null as is_marked,
        s.test_pulse_start_index,
        s.test_pulse_stop_index,
        s.experiment_start_index,
        s.experiment_stop_index
    from icephys.nwb_sweeps as s
),
_inferred as (
    select t.specimen_id, t.sweep_number, infer_epochs(t.stimulus) as e
    from icephys.sweep_traces as t
    semi join _told as s
        on s.specimen_id = t.specimen_id
        and s.sweep_number = t.sweep_number
        and not s.is_marked
    where t.stimulus is not null
)
select
    s.specimen_id,
    s.sweep_number,
    s.is_marked,
    coalesce(s.test_pulse_start_index, i.e.test_pulse_start_index) as test_pulse_start_index,
    coalesce(s.test_pulse_stop_index, i.e.test_pulse_stop_index) as test_pulse_stop_index,
    coalesce(s.experiment_start_index, i.e.experiment_start_index, 0) as experiment_start_index,
    coalesce(s.experiment_stop_index, s.n_samples - 1) as experiment_stop_index
from _told as s
left join _inferred as i
    on i.specimen_id = s.specimen_id
    and i.sweep_number = s.sweep_number
