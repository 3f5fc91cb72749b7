-- one feature over a set of sweeps by the deprecated extractor, which a model's sweeps are scored against
-- spec: cell_types LG
-- sdk: EphysFeatureExtractor.summarize
-- macro: icephys.legacy_summary(features)
--   features    relation (specimen_id, sweep_number, feature, value), as of icephys.legacy_features
--   feature     name of the feature
--   mean        mean over the sweeps, in the unit of the feature
--   deviation   population deviation over the sweeps, same unit
--   n_sweeps    sweeps that have the feature
--   status      ok, or why the reference would refuse the summary: missing (not every sweep has it)
with _sweeps as (
    select count(distinct (features.specimen_id, features.sweep_number)) as n_sweeps
    from query_table(features) as features
)
select
    f.feature,
    avg(f.value) as mean,
    stddev_pop(f.value) as deviation,
    count(*) as n_sweeps,
    case when count(*) = any_value(s.n_sweeps) then 'ok' else 'missing' end as status
from query_table(features) as f
cross join _sweeps as s
group by f.feature
