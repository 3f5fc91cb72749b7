-- one recorded sweep with its quality, measured on its samples, and its state by the laboratory's usual criteria
-- spec: cell_types QC, CT-105
-- partition: specimen_id
-- Other criteria: icephys.judge_sweeps over this view.
--   pre_noise_rms_mv        noise over 1.5 ms at the start of the experiment (mV)
--   post_noise_rms_mv       noise over its last 1.5 ms; NULL for ramps and for truncated sweeps (mV)
--   slow_noise_rms_mv       noise over up to 500 ms before the stimulus (mV)
--   pre_vm_mv               potential before the stimulus, as slow_vm_mv (mV)
--   post_vm_mv              potential over the last 500 ms; NULL as post_noise_rms_mv (mV)
--   slow_vm_mv              potential over up to 500 ms before the stimulus (mV)
--   vm_delta_mv             change of the potential; NULL as post_noise_rms_mv (mV)
--   stimulus_start_time     start of the stimulus, from the sweep's start (s)
--   stimulus_amplitude_pa   its extreme of larger magnitude, with its sign (pA)
--   stimulus_duration       from its first to its last sample that is not 0 (s)
--   stimulus_interval       between onsets of equal and equally spaced pulses; NULL for others (s)
--   is_complete             the experiment lasts to the sweep's last sample
--   state                   Pass or Fail; NULL in voltage clamp, which is not judged
--   reasons                 criteria it fails, and "missing" behind those that cannot be told; empty if it passes
with _traces as (
    select
        s.specimen_id,
        s.sweep_number,
        s.sampling_rate,
        s.stimulus_code,
        s.start_index as experiment_start_index,
        s.stop_index as experiment_stop_index,
        t.stimulus,
        t.response
    from icephys.sweeps as s
    join icephys.sweep_traces as t
        on t.specimen_id = s.specimen_id
        and t.sweep_number = s.sweep_number
    where s.clamp_mode = 'current_clamp'
),
_measured as (
    select
        s.specimen_id,
        s.sweep_number,
        s.stimulus_name,
        s.stimulus_code,
        s.clamp_mode,
        m.* exclude (specimen_id, sweep_number)
    from icephys.sweeps as s
    left join icephys.sweep_quality_of('_traces') as m
        on m.specimen_id = s.specimen_id
        and m.sweep_number = s.sweep_number
    where s.is_recorded
)
select
    m.specimen_id,
    m.sweep_number,
    m.stimulus_name,
    m.stimulus_code,
    m.clamp_mode,
    m.pre_noise_rms_mv,
    m.post_noise_rms_mv,
    m.slow_noise_rms_mv,
    m.pre_vm_mv,
    m.post_vm_mv,
    m.slow_vm_mv,
    m.vm_delta_mv,
    m.stimulus_start_time,
    m.stimulus_amplitude_pa,
    m.stimulus_duration,
    m.stimulus_interval,
    m.is_complete,
    j.state,
    j.reasons
from _measured as m
join icephys.judge_sweeps('_measured') as j
    on j.specimen_id = m.specimen_id
    and j.sweep_number = m.sweep_number
