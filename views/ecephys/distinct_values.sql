-- one value that sessions or channels take
-- spec: ecephys EC-2, F-EC-9
-- sdk: EcephysProjectCache.get_all_session_types, EcephysProjectCache.get_all_full_genotypes, EcephysProjectCache.get_all_sexes, EcephysProjectCache.get_all_ages, EcephysProjectCache.get_all_recorded_structures, EcephysProjectCache.get_structure_acronyms
-- macro: ecephys.distinct_values(of_column)
--   of_column      session_type, full_genotype, sex, age_in_days or structure_acronym
--   value_index    rank by the first session or channel with the value, from 0
--   value          the value as text
--   n              sessions or channels with the value
with seen as (
    select
        'session_type' as of_what,
        s.session_type as value,
        s.session_id as owner_id
    from ecephys.sessions as s
    union all
    select 'full_genotype', s.full_genotype, s.session_id
    from ecephys.sessions as s
    union all
    select 'sex', s.sex, s.session_id
    from ecephys.sessions as s
    union all
    select 'age_in_days', s.age_in_days::varchar, s.session_id
    from ecephys.sessions as s
    union all
    select 'structure_acronym', c.structure_acronym, c.channel_id
    from ecephys.channels as c
),
counted as (
    select
        v.value,
        min(v.owner_id) as first_owner,
        count(*) as n
    from seen as v
    where v.value is not null
      and v.of_what = case
          when of_column in ('session_type', 'full_genotype', 'sex', 'age_in_days', 'structure_acronym')
              then of_column
          else error('distinct_values knows session_type, full_genotype, sex, age_in_days and structure_acronym, not '
              || of_column)
      end
    group by v.value
)
select
    row_number() over (order by c.first_owner, c.value) - 1 as value_index,
    c.value,
    c.n
from counted as c
