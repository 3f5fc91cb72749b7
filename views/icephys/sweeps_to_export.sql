-- one recorded sweep of a cell with all that an NWB 1 file of it holds: write them with -o cell.nwb
-- spec: cell_types NW-7, CT-063, CT-065
-- sdk: NwbDataSet.set_sweep, NwbDataSet.set_spike_times, NwbDataSet.fill_sweep_responses
-- macro: icephys.sweeps_to_export(specimen, fill_value := null, extend_experiment := false)
--   specimen            cell
--   fill_value          every sample of the responses, as simulators want to start from; NULL: as recorded (V or A)
--   extend_experiment   true: experiments end where the samples do
--   spike_times         spikes, from the start of the sweep; NULL where the file tells none (s)
with _spikes as (
    select s.sweep_number, list(s.spike_time order by s.spike_index) as spike_times
    from icephys.spike_times as s
    where s.specimen_id = specimen::bigint
    group by s.sweep_number
),
_sweeps as (
    select s.*
    from icephys.recorded_sweeps as s
    where s.specimen_id = specimen::bigint
        and lake.require_specimen(specimen, 'samples')
)
select
    s.specimen_id,
    s.sweep_number,
    s.electrode_name,
    s.clamp_mode,
    s.stimulus_name,
    s.stimulus_description,
    s.sampling_rate,
    s.n_samples,
    s.start_time,
    s.experiment_start_index,
    case
        when extend_experiment and s.experiment_start_index is not null then s.n_samples - 1
        else s.experiment_stop_index
    end as experiment_stop_index,
    s.test_pulse_start_index,
    s.test_pulse_stop_index,
    s.stimulus_amplitude_pa,
    s.stimulus_interval,
    s.stimulus_gain,
    s.seal_gohm,
    s.initial_access_resistance_mohm,
    s.response_gain,
    s.bias_current,
    s.bridge_balance,
    s.capacitance_compensation,
    k.spike_times,
    t.stimulus,
    case
        when fill_value is null then t.response
        else list_resize([]::float[], s.n_samples, fill_value::float)
    end as response
from _sweeps as s
join icephys.sweep_traces as t
    on t.specimen_id = s.specimen_id
    and t.sweep_number = s.sweep_number
left join _spikes as k on k.sweep_number = s.sweep_number
where t.specimen_id = specimen::bigint
