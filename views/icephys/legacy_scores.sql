-- one scored feature of one sweep: how many deviations it lies from a set of sweeps, by the deprecated extractor
-- spec: cell_types LG
-- sdk: EphysFeatureExtractor.score_feature_set
-- macro: icephys.legacy_scores(features, summary)
--   features       relation (specimen_id, sweep_number, feature, value, spike_values), as of icephys.legacy_features
--   summary        relation (feature, mean, deviation), as of icephys.legacy_summary
--   specimen_id    cell
--   sweep_number   sweep
--   feature        name of the feature; n_spikes and isi_avg are not scored
--   score          deviations from the mean; of spikes the mean over spikes, without the last one for f_trough and
--                  width; a penalty where the sweep lacks the feature; NULL where the deviation is not above 0 (1)
--   is_missing     the sweep lacks the feature
with _rules as (
    select
        rule.feature,
        rule.penalty,
        rule.penalty_means,
        rule.of_spikes,
        rule.skip_last
    from (
        values
            ('adapt', 0.0::double, 0.0::double, false, 0),
            ('latency', 0.0, 0.0, false, 0),
            ('isi_cv', 0.0, 2.0, false, 0),
            ('rate', 250.0, 0.0, false, 0),
            ('doublet', 20.0, 0.0, false, 0),
            ('base_v', 20.0, 0.0, false, 0),
            ('f_fast_ahp', 20.0, 0.0, false, 0),
            ('f_slow_ahp', 20.0, 0.0, false, 0),
            ('f_slow_ahp_time', 20.0, 0.0, false, 0),
            ('f_peak', 20.0, 0.0, true, 0),
            ('f_trough', 20.0, 0.0, true, 1),
            ('upstroke', 20.0, 0.0, true, 0),
            ('upstroke_v', 20.0, 0.0, true, 0),
            ('downstroke', 20.0, 0.0, true, 0),
            ('downstroke_v', 20.0, 0.0, true, 0),
            ('threshold_v', 20.0, 0.0, true, 0),
            ('width', 20.0, 0.0, true, 1),
            ('thresh_ramp', 20.0, 0.0, true, 0)
    ) as rule(feature, penalty, penalty_means, of_spikes, skip_last)
),
_sweeps as (
    select distinct f.specimen_id, f.sweep_number
    from query_table(features) as f
)
select
    w.specimen_id,
    w.sweep_number,
    r.feature,
    case
        when f.value is null then r.penalty + r.penalty_means * s.mean
        when s.deviation <= 0 then null
        when r.of_spikes then list_avg(list_transform(
            f.spike_values[: len(f.spike_values) - r.skip_last], lambda x: abs(x - s.mean) / s.deviation
        ))
        else abs(f.value - s.mean) / s.deviation
    end as score,
    f.value is null as is_missing
from _sweeps as w
cross join _rules as r
join query_table(summary) as s on s.feature = r.feature
left join query_table(features) as f
    on f.specimen_id = w.specimen_id
    and f.sweep_number = w.sweep_number
    and f.feature = r.feature
