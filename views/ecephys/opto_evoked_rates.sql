-- one unit's response to short light pulses: rates just before and just after the light
-- spec: ecephys EC-18
-- macro: ecephys.opto_evoked_rates(units, duration_min := 0.009, duration_max := 0.02)
--   units             relation (session_id, unit_id)
--   duration_min      trials longer than this (s)
--   duration_max      and shorter than this (s)
--   session_id        session
--   unit_id           unit
--   n_trials          trials averaged
--   baseline_rate     bins of 0.5 ms with spikes in [-10, -2] ms, a second (spikes/s)
--   evoked_rate       bins of 0.5 ms with spikes in [1, 9] ms, a second (spikes/s)
--   evoked_ratio      evoked_rate / (baseline_rate + 1) (1)
--   is_cre_positive   evoked_ratio > 2: putatively expresses the opsin
with _trials as (
    select session_id, trial_id, start_time
    from ecephys.optogenetic_stimulation
    where duration > duration_min::double and duration < duration_max::double
),
_bins as (
    select unnest(range(16)) as bin_index, 'baseline' as epoch
    union all
    select unnest(range(22, 38)) as bin_index, 'evoked' as epoch
),
_windows as (
    select
        t.session_id,
        {'trial_id': t.trial_id, 'epoch': b.epoch} as window_id,
        t.start_time - 0.01::double + b.bin_index * 0.0005::double as start_time,
        -- closed bins, as the reference's histogram (OD-14)
        nextafter(t.start_time - 0.01::double + (b.bin_index + 1) * 0.0005::double, 'infinity'::double) as stop_time
    from _trials as t
    cross join _bins as b
),
_rates as (
    select
        n.session_id,
        n.unit_id,
        count(distinct n.window_id.trial_id) as n_trials,
        count(*) filter (where n.window_id.epoch = 'baseline' and n.spike_count > 0) / 0.008::double as baseline,
        count(*) filter (where n.window_id.epoch = 'evoked' and n.spike_count > 0) / 0.008::double as evoked
    from ecephys.spike_counts(units, '_windows') as n
    group by n.session_id, n.unit_id
)
select
    session_id,
    unit_id,
    n_trials,
    baseline / n_trials as baseline_rate,
    evoked / n_trials as evoked_rate,
    evoked / n_trials / (baseline / n_trials + 1) as evoked_ratio,
    evoked / n_trials / (baseline / n_trials + 1) > 2 as is_cre_positive
from _rates
