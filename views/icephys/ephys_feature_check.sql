-- one feature of one recorded cell, computed here beside what is published
-- spec: cell_types section 5, CT-108
-- partition: specimen_id
--   feature               column of icephys.computed_ephys_features and icephys.published_ephys_features
--   computed              value computed from the sweeps in this lake, in the feature's unit
--   published             value the warehouse publishes, in the same unit
--   difference            computed less published
--   relative_difference   difference over the size of the published value (1)
--   agreement             equal (within a millionth), different, only_computed, only_published or neither
with _computed as (
    select u.specimen_id, u.feature, u.computed
    from (
        select
            c.specimen_id,
            columns(
                c.* exclude (
                    specimen_id, rheobase_sweep_id, thumbnail_sweep_id, thumbnail_sweep_number, has_burst, has_pause,
                    has_delay, status
                )
            )::double
        from icephys.computed_ephys_features as c
    ) unpivot include nulls (computed for feature in (columns(* exclude (specimen_id)))) as u
),
_published as (
    select u.specimen_id, u.feature, u.published
    from (
        select
            p.specimen_id,
            columns(
                p.* exclude (
                    specimen_id, ephys_feature_id, rheobase_sweep_id, thumbnail_sweep_id, has_burst, has_pause,
                    has_delay, extra, source
                )
            )::double
        from icephys.published_ephys_features as p
    ) unpivot include nulls (published for feature in (columns(* exclude (specimen_id)))) as u
),
_pairs as (
    select
        c.specimen_id,
        c.feature,
        c.computed,
        p.published
    from _computed as c
    join _published as p
        on p.specimen_id = c.specimen_id
        and p.feature = c.feature
)
select
    q.specimen_id,
    q.feature,
    q.computed,
    q.published,
    q.computed - q.published as difference,
    (q.computed - q.published) / nullif(abs(q.published), 0) as relative_difference,
    case
        when q.computed is null and q.published is null then 'neither'
        when q.computed is null then 'only_published'
        when q.published is null then 'only_computed'
        when abs(q.computed - q.published) <= 1e-6 * abs(q.published) then 'equal'
        else 'different'
    end as agreement
from _pairs as q
