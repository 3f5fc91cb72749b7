-- one recorded cell with the quality of its electrode, and its result by the laboratory's usual criteria
-- spec: cell_types QC, CT-105
-- partition: specimen_id
-- Measured on the test sweeps where the file has them, else as published: released files hold no test sweeps. Other
-- criteria: icephys.judge_cells over this view.
--   blowout_mv                       potential after blowing out the pipette (mV)
--   electrode_0_pa                   current of the electrode in the bath (pA)
--   seal_gohm                        resistance of the seal (GOhm)
--   initial_access_resistance_mohm   access resistance right after break-in (MOhm)
--   input_resistance_mohm            input resistance right after break-in (MOhm)
--   input_access_resistance_ratio    access over input resistance (1)
--   recording_date_utc               when the recording began (UTC)
--   failed_blowout                   blowout missing or out of bounds
--   failed_electrode_0               current in the bath missing or too great
--   failed_seal                      seal missing or too low
--   failed_bad_rs                    access resistance missing, out of bounds or too great beside the input's
--   fail_tags                        criteria it fails, and "missing" behind those that cannot be told
--   qc_result                        Pass or Fail
with _tests as (
    select
        s.specimen_id,
        s.sweep_number,
        s.sampling_rate,
        s.clamp_mode,
        s.stimulus_code,
        s.start_index as experiment_start_index,
        t.stimulus,
        t.response
    from icephys.sweeps as s
    join icephys.sweep_traces as t
        on t.specimen_id = s.specimen_id
        and t.sweep_number = s.sweep_number
    where starts_with(s.stimulus_code, 'EXTP')
),
_cells as (
    select
        s.specimen_id,
        max(s.seal_gohm) as seal_gohm,
        max(s.initial_access_resistance_mohm) as initial_access_resistance_mohm,
        min(f.session_start_time_utc) as recording_date_utc
    from icephys.nwb_sweeps as s
    left join icephys.files as f on f.file_id = s.file_id
    group by s.specimen_id
),
_electrodes as (
    select
        e.specimen_id,
        max(e.seal_gohm) as seal_gohm,
        max(e.initial_access_resistance_mohm) as initial_access_resistance_mohm
    from icephys.electrodes as e
    group by e.specimen_id
),
_quality as (
    select
        c.specimen_id,
        c.recording_date_utc,
        m.blowout_mv,
        coalesce(m.electrode_0_pa, p.electrode_0_pa) as electrode_0_pa,
        coalesce(m.seal_gohm, c.seal_gohm, e.seal_gohm, p.seal_gohm) as seal_gohm,
        coalesce(
            m.initial_access_resistance_mohm, c.initial_access_resistance_mohm, e.initial_access_resistance_mohm
        ) as initial_access_resistance_mohm,
        coalesce(m.input_resistance_mohm, p.input_resistance_mohm) as input_resistance_mohm
    from _cells as c
    left join icephys.cell_quality_of('_tests') as m on m.specimen_id = c.specimen_id
    left join _electrodes as e on e.specimen_id = c.specimen_id
    left join icephys.published_ephys_features as p on p.specimen_id = c.specimen_id
)
select
    q.specimen_id,
    q.blowout_mv,
    q.electrode_0_pa,
    q.seal_gohm,
    q.initial_access_resistance_mohm,
    q.input_resistance_mohm,
    j.input_access_resistance_ratio,
    q.recording_date_utc,
    j.failed_blowout,
    j.failed_electrode_0,
    j.failed_seal,
    j.failed_bad_rs,
    j.fail_tags,
    j.qc_result
from _quality as q
join icephys.judge_cells('_quality') as j on j.specimen_id = q.specimen_id
