-- one run of one GLIF model on one stimulus: every model on every stimulus
-- spec: cell_types GL-1, GL-2, GL-3, GL-4, GL-6, CT-005, CT-122
-- sdk: GlifNeuron.run, simulate_neuron.simulate_sweep
-- macro: models.simulate_glif(models, stimuli, spike_cut_value := null, traces := true)
--   models                         relation (neuronal_model_id, config_json), as models.glif_models
--   stimuli                        relation (stimulus_id, stimulus), with a sampling_rate if it has one, which sets the
--                                  time step; otherwise each model steps by its own
--   spike_cut_value                potential while a spike lasts; NULL keeps NaN there (V)
--   traces                         give potential, threshold and currents; otherwise they are empty, which saves memory
--   neuronal_model_id              model
--   stimulus_id                    stimulus
--   dt                             time step (s)
--   stimulus                       samples of the stimulus (A)
--   voltage                        potential after each step, from the model's resting potential (V)
--   threshold                      threshold, likewise (V)
--   ascurrents                     samples of each after-spike current (A)
--   spike_time_steps               steps in which the potential came to exceed the threshold
--   grid_spike_times               their times on the grid of steps (s)
--   interpolated_spike_times       times at which the lines of potential and threshold cross (s)
--   interpolated_spike_voltage     potential there as the reference has it, which interpolates one step too far (V)
--   interpolated_spike_threshold   threshold there as the reference has it (V)
--   corrected_spike_voltage        potential where the lines cross (V)
--   corrected_spike_threshold      threshold where the lines cross (V)
--   is_bad_reset                   a reset left the potential above the threshold, where the run stopped
--   n_spikes                       spikes
with _models as (
    select
        list(m.neuronal_model_id order by m.neuronal_model_id) as model_ids,
        list(m.config_json::varchar order by m.neuronal_model_id) as configs
    from query_table(models) as m
),
_stimuli as (
    select s.stimulus_id, s.stimulus, s.sampling_rate
    from (
        select null::double as sampling_rate where false
        union all by name
        from query_table(stimuli)
    ) as s
),
-- A row a stimulus, with all the models: a stimulus is handed over once, not once a model.
_runs as (
    select
        unnest(m.model_ids) as neuronal_model_id,
        s.stimulus_id,
        s.stimulus,
        unnest(
            run_glif(
                m.configs, s.stimulus::double[], (1 / s.sampling_rate)::double, spike_cut_value::double, traces::boolean
            )
        ) as run
    from _stimuli as s
    cross join _models as m
)
select
    r.neuronal_model_id,
    r.stimulus_id,
    r.run.dt,
    r.stimulus,
    r.run.voltage,
    r.run.threshold,
    r.run.ascurrents,
    r.run.spike_time_steps,
    r.run.grid_spike_times,
    r.run.interpolated_spike_times,
    r.run.interpolated_spike_voltage,
    r.run.interpolated_spike_threshold,
    r.run.corrected_spike_voltage,
    r.run.corrected_spike_threshold,
    r.run.is_bad_reset,
    len(r.run.spike_time_steps) as n_spikes
from _runs as r
