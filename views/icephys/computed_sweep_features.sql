-- one recorded current-clamp sweep with what the reference writes back to its sweep list
-- spec: cell_types 4.5.2, 4.5.5, CT-101, CT-104
-- sdk: extract_sweep_features, update_output_sweep_features
-- partition: specimen_id
-- Short squares are detected with options adjusted to all sweeps of their kind, others with the defaults; the window is
-- the experiment. The reference spells the holds mv, where released names say mV, so that those take the defaults.
--   num_spikes           spikes of the sweep; NULL for none, as published
--   avg_rate             spikes over the length of the experiment (spikes/s)
--   adaptation           adaptation index (1)
--   latency              first spike after the start of the experiment (s)
--   mean_isi             mean interspike interval (s)
--   peak_deflection_mv   extreme potential of a subthreshold long square; NULL for others (mV)
--   error                why the sweep has no features
with _traces as not materialized (
    select
        s.specimen_id,
        s.sweep_number,
        'any' as stimulus_class,
        case
            when s.stimulus_name in (
                'Short Square - Triple', 'Short Square', 'Short Square - Hold -60mv', 'Short Square - Hold -70mv',
                'Short Square - Hold -80mv'
            ) then s.stimulus_name
        end as detection_group,
        case when s.stimulus_name = 'Short Square - Triple' then 2.02::double else 1.02::double end as detection_start,
        case when s.stimulus_name = 'Short Square - Triple' then 2.021::double else 1.021::double end as detection_stop,
        s.start_index * (1.0::double / s.sampling_rate) as window_start,
        s.stop_index * (1.0::double / s.sampling_rate) as window_stop,
        null::double as subthreshold_min_amp_pa,
        s.sampling_rate,
        t.packed_stimulus as stimulus,
        t.packed_response as response
    from icephys.recorded_sweeps as s
    join icephys.packed_traces as t
        on t.specimen_id = s.specimen_id
        and t.sweep_number = s.sweep_number
    where coalesce(s.clamp_mode, 'current_clamp') = 'current_clamp'
)
select
    m.specimen_id,
    m.sweep_number,
    nullif(m.n_spikes, 0) as num_spikes,
    m.avg_rate,
    m.adaptation,
    m.latency,
    m.mean_isi,
    i.peak_deflect_v_mv as peak_deflection_mv,
    m.error
from icephys.measure_cell_sweeps('_traces') as m
left join icephys.cell_feature_inputs as i
    on i.specimen_id = m.specimen_id
    and i.sweep_number = m.sweep_number
    and i.stimulus_class = 'long_square'
    and i.avg_rate = 0
