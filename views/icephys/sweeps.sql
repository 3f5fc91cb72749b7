-- one sweep of one cell: what the recording's file tells, beside it what the warehouse tells
-- spec: cell_types 3.2, NW-3, NW-4, CT-061
-- sdk: NwbDataSet.get_sweep_numbers, NwbDataSet.get_experiment_sweep_numbers
-- The name and description of a stimulus are the file's where it has them, else the warehouse's.
--   specimen_id               cell
--   sweep_number              number of the sweep in its recording
--   is_recorded               its file is in this lake; otherwise only the warehouse lists it
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
    r.specimen_id,
    r.sweep_number,
    r.is_recorded,
    r.is_experiment,
    r.file_id,
    r.electrode_name,
    r.clamp_mode,
    r.stimulus_name,
    r.stimulus_description,
    r.stimulus_code,
    r.stimulus_repeat,
    r.stimulus_unit,
    r.response_unit,
    r.sampling_rate,
    r.n_samples,
    r.n_stimulus_samples,
    r.start_time,
    r.sweep_start_index,
    r.sweep_stop_index,
    r.experiment_start_index,
    r.experiment_stop_index,
    r.test_pulse_start_index,
    r.test_pulse_stop_index,
    r.start_index,
    r.stop_index,
    r.stimulus_amplitude_pa,
    r.stimulus_start_time,
    r.stimulus_duration,
    r.stimulus_interval,
    r.num_spikes,
    r.stimulus_gain,
    r.response_gain,
    r.bias_current,
    r.bridge_balance,
    r.capacitance_compensation,
    r.capacitance_fast,
    r.capacitance_slow,
    r.resistance_comp_bandwidth,
    r.resistance_comp_correction,
    r.resistance_comp_prediction,
    r.whole_cell_capacitance_comp,
    r.whole_cell_series_resistance_comp,
    r.seal_gohm,
    r.initial_access_resistance_mohm,
    r.sweep_id,
    r.source_rank
from icephys.recorded_sweeps as r
union all by name
select
    a.specimen_id,
    a.sweep_number,
    false as is_recorded,
    false as is_experiment,
    a.stimulus_name,
    a.stimulus_description,
    a.stimulus_absolute_amplitude_pa as stimulus_amplitude_pa,
    a.stimulus_start_time,
    a.stimulus_duration,
    a.stimulus_interval,
    a.num_spikes,
    a.bridge_balance_mohm * 1e6 as bridge_balance,
    a.sweep_id
from icephys.api_sweeps as a
anti join icephys.nwb_sweeps as n on n.specimen_id = a.specimen_id and n.sweep_number = a.sweep_number
