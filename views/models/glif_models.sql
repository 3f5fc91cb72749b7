-- one generalized leaky integrate-and-fire (GLIF) model, with every parameter
-- spec: cell_types 2.6, 3.5, GL-5, CT-005, CT-006, CT-031
-- sdk: GlifApi.get_neuron_config, GlifApi.get_neuron_configs, GlifNeuron
--   neuronal_model_id             model, as the API numbers it; made where its file does not tell
--   specimen_id                   cell
--   neuronal_model_template_id    kind of model
--   neuronal_model_name           name of the model, where its record is here
--   tau_m                         membrane time constant: r_input times capacitance (s)
--   th_inf_absolute               threshold of instant spiking with its factor, on the cell's own scale (V)
select
    g.neuronal_model_id,
    m.specimen_id,
    m.neuronal_model_template_id,
    m.neuronal_model_name,
    g.glif_level,
    g.el,
    g.el_reference,
    g.dt,
    g.r_input,
    g.capacitance,
    g.r_input * g.capacitance as tau_m,
    g.th_inf,
    g.th_adapt,
    g.coeff_th_inf * g.th_inf + g.el_reference as th_inf_absolute,
    g.spike_cut_length,
    g.init_voltage,
    g.init_threshold,
    g.init_ascurrents,
    g.asc_tau_array,
    g.asc_amp_array,
    g.coeff_th_inf,
    g.coeff_c,
    g.coeff_g,
    g.coeff_a,
    g.coeff_b,
    g.coeff_asc_amp_array,
    g.ascurrent_dynamics_method,
    g.voltage_dynamics_method,
    g.threshold_dynamics_method,
    g.ascurrent_reset_method,
    g.voltage_reset_method,
    g.threshold_reset_method,
    g.extrapolation_method,
    g.dt_multiplier,
    g.config_json,
    g.source_name
from models.glif_configs as g
left join models.neuronal_models as m on m.neuronal_model_id = g.neuronal_model_id
