-- one sweep of one cell whose file is in this lake: what the file tells, beside it what the warehouse tells
-- spec: cell_types 3.2, NW-3, NW-4
-- The name and description of a stimulus are the file's where it has them, else the warehouse's.
--   specimen_id               cell
--   sweep_number              number of the sweep in its recording
--   is_recorded               true
--   is_experiment             the file marks a part of it as the experiment: no test sweep
--   stimulus_name             kind of stimulus: Long Square, Ramp, Noise 1 ...
--   stimulus_description      acquisition code and repeat, as C1LSFINEST150112[0]
--   stimulus_code             acquisition code without repeat and channel
--   stimulus_repeat           repeat of the code, from 0
--   stimulus_amplitude_pa     amplitude of the stimulus, as told (pA)
--   stimulus_start_time       start of the stimulus from the sweep's start, as the warehouse tells (s)
--   stimulus_duration         length of the stimulus, as the warehouse tells (s)
--   stimulus_interval         between onsets of pulses, as told (s)
--   num_spikes                spikes the producer counted; NULL stands for none
--   bridge_balance            bridge balance (Ohm)
--   start_index               first sample of the experiment, of the sweep where none is marked
--   stop_index                last sample of it, included
--   sweep_id                  the warehouse's id of the sweep
select
    n.specimen_id,
    n.sweep_number,
    true as is_recorded,
    n.experiment_start_index is not null as is_experiment,
    n.file_id,
    n.electrode_name,
    n.clamp_mode,
    coalesce(n.stimulus_name, a.stimulus_name) as stimulus_name,
    coalesce(n.stimulus_description, a.stimulus_description) as stimulus_description,
    n.stimulus_code,
    n.stimulus_repeat,
    n.stimulus_unit,
    n.response_unit,
    n.sampling_rate,
    n.n_samples,
    n.n_stimulus_samples,
    n.start_time,
    n.sweep_start_index,
    n.sweep_stop_index,
    n.experiment_start_index,
    n.experiment_stop_index,
    n.test_pulse_start_index,
    n.test_pulse_stop_index,
    coalesce(n.experiment_start_index, n.sweep_start_index) as start_index,
    coalesce(n.experiment_stop_index, n.sweep_stop_index) as stop_index,
    coalesce(n.stimulus_amplitude_pa, a.stimulus_absolute_amplitude_pa) as stimulus_amplitude_pa,
    a.stimulus_start_time,
    a.stimulus_duration,
    coalesce(n.stimulus_interval, a.stimulus_interval) as stimulus_interval,
    a.num_spikes,
    n.stimulus_gain,
    n.response_gain,
    n.bias_current,
    coalesce(n.bridge_balance, a.bridge_balance_mohm * 1e6) as bridge_balance,
    n.capacitance_compensation,
    n.capacitance_fast,
    n.capacitance_slow,
    n.resistance_comp_bandwidth,
    n.resistance_comp_correction,
    n.resistance_comp_prediction,
    n.whole_cell_capacitance_comp,
    n.whole_cell_series_resistance_comp,
    n.seal_gohm,
    n.initial_access_resistance_mohm,
    a.sweep_id,
    n.source_rank
from icephys.nwb_sweeps as n
left join icephys.api_sweeps as a on a.specimen_id = n.specimen_id and a.sweep_number = n.sweep_number
