-- one sweep of a cell, under the names of the API's EphysSweep
-- spec: cell_types 2.1, 5, CT-025, CT-054
-- sdk: CellTypesApi.get_ephys_sweeps, CellTypesCache.get_ephys_sweeps
--   id                            the API's id of the sweep
--   peak_deflection               extreme potential of a subthreshold long square, in mV
--   stimulus_absolute_amplitude   greatest stimulus current, in pA
-- `brainlake sql "from rma.ephys_sweeps" -o ephys_sweeps.json` writes it as the reference's cache keeps it.
select
    r.bridge_balance_mohm,
    r.sweep_id as id,
    r.leak_pa,
    r.num_spikes,
    r.peak_deflection_mv as peak_deflection,
    r.post_noise_rms_mv,
    r.post_vm_mv,
    r.pre_noise_rms_mv,
    r.pre_vm_mv,
    r.slow_noise_rms_mv,
    r.slow_vm_mv,
    r.specimen_id,
    r.stimulus_absolute_amplitude_pa as stimulus_absolute_amplitude,
    r.stimulus_description,
    r.stimulus_duration,
    r.stimulus_interval,
    r.stimulus_name,
    r.stimulus_relative_amplitude,
    r.stimulus_start_time,
    r.stimulus_units,
    r.sweep_number,
    r.vm_delta_mv
from icephys.api_sweeps as r
order by r.specimen_id, r.sweep_number
