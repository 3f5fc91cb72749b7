-- one recorded current-clamp sweep with the beginning, length and strength of its stimulus, as the samples tell
-- spec: cell_types ST-1, ST-2, ST-3, ST-4, ST-5, CT-102
-- sdk: get_stim_characteristics, get_square_stim_characteristics, get_ramp_stim_characteristics, find_sweep_stim_start
-- macro: icephys.stimulus_shapes(kind := 'any', no_test_pulse := false)
--   kind                    any (from the second change of the current to the last), square (the second step up and down),
--                               square_or_none (the same, without an error where there is none) or ramp (the second step up)
--   no_test_pulse           no test pulse comes first: the first change instead of the second
--   specimen_id             cell
--   sweep_number            sweep
--   stimulus_name           kind of stimulus: Long Square, Ramp, Noise 1 ...
--   stimulus_start_time     where the stimulus begins, from the sweep's start (s)
--   stimulus_duration       its length (s)
--   stimulus_amplitude_pa   current at its first sample (pA)
--   stimulus_start_index    its first sample, from 0
--   stimulus_stop_index     the sample after its last, from 0
--   first_change_time       first change of the current later than 0.4 s (s)
--   error                   why it cannot be told
with _shapes as (
    select
        s.specimen_id,
        s.sweep_number,
        s.stimulus_name,
        stimulus_shape(t.stimulus, s.sampling_rate, kind::varchar, no_test_pulse::boolean) as f,
        stimulus_start_time(t.stimulus, s.sampling_rate) as first_change_time
    from icephys.sweeps as s
    join icephys.sweep_traces as t
        on t.specimen_id = s.specimen_id
        and t.sweep_number = s.sweep_number
    where s.clamp_mode in ('current_clamp', 'izero')
)
select
    h.specimen_id,
    h.sweep_number,
    h.stimulus_name,
    h.f.start_time as stimulus_start_time,
    h.f.duration as stimulus_duration,
    h.f.amplitude_pa as stimulus_amplitude_pa,
    h.f.start_index as stimulus_start_index,
    h.f.stop_index as stimulus_stop_index,
    h.first_change_time,
    h.f.error
from _shapes as h
