-- what the file of a recording tells of a sweep's stimulus
-- spec: cell_types 5, NW-6, CT-064
-- sdk: NwbDataSet.get_sweep_metadata
-- macro: icephys.sweep_metadata(specimen, sweep)
--   specimen                     cell
--   sweep                        number of the sweep
--   aibs_stimulus_amplitude_pa   amplitude of the stimulus (pA)
--   aibs_stimulus_name           kind of stimulus
--   gain                         gain of the stimulus
--   initial_access_resistance    right after break-in (MOhm)
--   seal                         seal resistance before break-in (GOhm)
select
    s.stimulus_amplitude_pa as aibs_stimulus_amplitude_pa,
    s.stimulus_name as aibs_stimulus_name,
    s.stimulus_gain as gain,
    s.initial_access_resistance_mohm as initial_access_resistance,
    s.seal_gohm as seal
from icephys.nwb_sweeps as s
where s.specimen_id = specimen::bigint
    and s.sweep_number = sweep::bigint
    and lake.require_sweep(specimen, sweep, 'sweeps')
