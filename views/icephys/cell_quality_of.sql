-- one cell with what its test sweeps tell of the electrode: blowout, offset, seal, access and input resistance
-- spec: cell_types QC
-- macro: icephys.cell_quality_of(sweeps)
--   sweeps                           relation (specimen_id, sweep_number, response, stimulus, sampling_rate,
--                                    clamp_mode, stimulus_code, experiment_start_index), samples in SI; of several
--                                    sweeps with one code the last counts
--   specimen_id                      cell
--   blowout_mv                       mean potential of the EXTPBLWOUT sweep from the start of the experiment (mV)
--   electrode_0_pa                   mean current over the first 5 ms of the EXTPINBATH sweep (pA)
--   seal_gohm                        resistance by the pulses of the EXTPCllATT sweep (GOhm)
--   initial_access_resistance_mohm   resistance by the peak current of the pulses of the EXTPBREAKN sweep (MOhm)
--   input_resistance_mohm            resistance by their steady current (MOhm)
with _tests as (
    select
        sweeps.*,
        case
            when sweeps.clamp_mode = 'current_clamp' then
                case when starts_with(sweeps.stimulus_code, 'EXTPBLWOUT') then 'blowout' end
            when starts_with(sweeps.stimulus_code, 'EXTPINBATH') then 'bath'
            when starts_with(sweeps.stimulus_code, 'EXTPCllATT') then 'attached'
            when starts_with(sweeps.stimulus_code, 'EXTPBREAKN') then 'breakin'
        end as test
    from query_table(sweeps) as sweeps
),
_last as (
    select
        t.*,
        len(t.response) as n_samples
    from _tests as t
    where t.test is not null
    qualify row_number() over (partition by t.specimen_id, t.test order by t.sweep_number desc) = 1
),
_measured as (
    select
        l.specimen_id,
        l.test,
        case
            when l.test = 'blowout' then mean_of_samples(
                l.response, coalesce(l.experiment_start_index, 0), l.n_samples
            )
            when l.test = 'bath' then mean_of_samples(l.response, 0, (0.005::double * l.sampling_rate)::bigint)
        end as mean,
        case
            when l.test in ('attached', 'breakin') then measure_pulse_resistance(
                l.stimulus, l.response, l.sampling_rate
            )
        end as resistance
    from _last as l
)
select
    m.specimen_id,
    max(1e3::double * m.mean) filter (where m.test = 'blowout') as blowout_mv,
    max(1e12::double * m.mean) filter (where m.test = 'bath') as electrode_0_pa,
    max(1e-9::double * m.resistance.steady_ohm) filter (where m.test = 'attached') as seal_gohm,
    max(1e-6::double * m.resistance.peak_ohm) filter (where m.test = 'breakin') as initial_access_resistance_mohm,
    max(1e-6::double * m.resistance.steady_ohm) filter (where m.test = 'breakin') as input_resistance_mohm
from _measured as m
group by m.specimen_id
