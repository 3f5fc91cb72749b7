-- one sweep on which a GLIF model was run, with the model's potential for a response: write them with -o run.nwb
-- spec: cell_types GL-6, NW-7, CT-128
-- sdk: simulate_neuron.main, simulate_neuron.write_sweep_response, simulate_neuron.load_sweep
-- macro: models.glif_sweeps_to_export(model, spike_cut_value := 0.05, from_rest := true)
--   model             model; it is run on every recorded sweep of its cell but test sweeps
--   spike_cut_value   potential while a spike lasts, from the resting potential (V)
--   from_rest         potentials from the resting potential, as the reference writes them; false: on the recording's scale
--   response          potential of the model (V)
--   spike_times       spikes of the model, where the lines of potential and threshold cross (s)
with _wanted as (
    select g.neuronal_model_id, g.specimen_id, g.config_json
    from models.glif_models as g
    where g.neuronal_model_id = model::bigint
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
    s.experiment_stop_index,
    s.test_pulse_start_index,
    s.test_pulse_stop_index,
    s.stimulus_amplitude_pa,
    s.stimulus_interval,
    r.interpolated_spike_times as spike_times,
    r.stimulus,
    list_transform(
        r.voltage, lambda v: (v + case when from_rest then 0 else coalesce(r.el_reference, 0) end)::float
    ) as response
from models.simulate_glif_recorded('_wanted', spike_cut_value := spike_cut_value) as r
join icephys.recorded_sweeps as s
    on s.specimen_id = r.specimen_id
    and s.sweep_number = r.sweep_number
union all by name
select null::bigint as specimen_id
where not models.require_model(model)
