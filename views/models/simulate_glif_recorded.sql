-- one run of one GLIF model on one recorded sweep of its own cell; test sweeps are left out
-- spec: cell_types GL-6, CT-005, CT-128
-- sdk: simulate_neuron.simulate_neuron, simulate_neuron.simulate_sweep_from_file
-- macro: models.simulate_glif_recorded(models, sweep := null, spike_cut_value := 0.05, traces := true)
--   models                         relation (neuronal_model_id, specimen_id, config_json), as models.glif_models
--   sweep                          number of the one sweep wanted; NULL for all
--   spike_cut_value                potential while a spike lasts; NULL keeps NaN there (V)
--   traces                         give potential, threshold and currents; otherwise they are empty, which saves memory
--   neuronal_model_id              model
--   specimen_id                    cell
--   sweep_number                   number of the sweep in its recording
--   stimulus_name                  kind of stimulus
--   dt                             time step: the recording's, whatever the model's; spikes take as many steps (s)
--   stimulus                       samples of the stimulus, the whole sweep with its test pulse (A)
--   voltage                        potential after each step, from the model's resting potential (V)
--   threshold                      threshold, likewise (V)
--   ascurrents                     samples of each after-spike current (A)
--   el_reference                   the cell's resting potential: added to a potential it is on the recording's scale (V)
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
        m.specimen_id,
        list(m.neuronal_model_id order by m.neuronal_model_id) as model_ids,
        list(m.config_json::varchar order by m.neuronal_model_id) as configs
    from query_table(models) as m
    where m.specimen_id is not null
    group by m.specimen_id
),
_sweeps as (
    select s.specimen_id, s.sweep_number, s.stimulus_name, s.sampling_rate
    from icephys.sweeps as s
    where s.is_recorded
        and s.clamp_mode = 'current_clamp'
        and s.stimulus_name is distinct from 'Test'
        and (sweep is null or s.sweep_number = sweep::bigint)
),
_runs as (
    select
        unnest(m.model_ids) as neuronal_model_id,
        s.specimen_id,
        s.sweep_number,
        s.stimulus_name,
        t.stimulus,
        unnest(
            run_glif(
                m.configs, t.stimulus::double[], (1 / s.sampling_rate)::double, spike_cut_value::double, traces::boolean
            )
        ) as run
    from icephys.sweep_traces as t
    join _sweeps as s
        on s.specimen_id = t.specimen_id
        and s.sweep_number = t.sweep_number
    join _models as m on m.specimen_id = t.specimen_id
    where t.stimulus is not null
)
select
    r.neuronal_model_id,
    r.specimen_id,
    r.sweep_number,
    r.stimulus_name,
    r.run.dt,
    r.stimulus,
    r.run.voltage,
    r.run.threshold,
    r.run.ascurrents,
    g.el_reference,
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
left join models.glif_configs as g on g.neuronal_model_id = r.neuronal_model_id
