-- one current-clamp sweep with its noise, drift and stimulus, measured on its samples
-- spec: cell_types QC
-- macro: icephys.sweep_quality_of(sweeps, corrected := false)
--   sweeps                  relation (specimen_id, sweep_number, response, stimulus, sampling_rate, stimulus_code,
--                           experiment_start_index, experiment_stop_index), samples in V and A
--   corrected               find the start of a stimulus that only goes down, too; the reference misses it and takes
--                           the first sample
--   specimen_id             cell
--   sweep_number            sweep
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
with _measured as (
    select
        sweeps.specimen_id,
        sweeps.sweep_number,
        measure_sweep_quality(
            sweeps.response,
            sweeps.stimulus,
            sweeps.sampling_rate,
            sweeps.experiment_start_index,
            sweeps.experiment_stop_index,
            coalesce(starts_with(sweeps.stimulus_code, 'C1RP'), false),
            corrected
        ) as q
    from query_table(sweeps) as sweeps
)
select
    m.specimen_id,
    m.sweep_number,
    m.q.pre_noise_rms_mv,
    m.q.post_noise_rms_mv,
    m.q.slow_noise_rms_mv,
    m.q.pre_vm_mv,
    m.q.post_vm_mv,
    m.q.slow_vm_mv,
    m.q.vm_delta_mv,
    m.q.stimulus_start_time,
    m.q.stimulus_amplitude_pa,
    m.q.stimulus_duration,
    m.q.stimulus_interval,
    m.q.is_complete = 1 as is_complete
from _measured as m
