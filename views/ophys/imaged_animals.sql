-- one specimen of the Brain Observatory with its donor: lines, and what was noted of it
-- spec: api C-BO1
-- sdk: BrainObservatoryApi.find_specimen_cre_line, BrainObservatoryApi.find_specimen_reporter_line, BrainObservatoryApi.find_specimen_transgenic_lines, BrainObservatoryApi.find_container_tags
--   specimen_id        specimen
--   specimen_name      its name
--   donor_id           animal
--   donor_name         name of the animal, as others call it
--   date_of_birth      when it was born (UTC)
--   cre_line           first driver line with Cre in its name; NULL where there is none
--   reporter_line      first reporter line
--   transgenic_lines   names of all lines, as listed
--   tags               conditions that were noted, those of the TissueCyte left out
with lines as (
    select
        l.owner_id as donor_id,
        list(t.name order by l.member_index) as transgenic_lines,
        arg_min(t.name, l.member_index) filter (t.transgenic_line_type_name = 'driver' and contains(t.name, 'Cre')) as cre_line,
        arg_min(t.name, l.member_index) filter (t.transgenic_line_type_name = 'reporter') as reporter_line
    from rma.links as l
    join rma.transgenic_lines as t on t.id = l.member_id
    where l.owner_model = 'Donor'
        and l.association = 'transgenic_lines'
    group by l.owner_id
),
noted as (
    select l.owner_id as donor_id, list(c.name order by l.member_index) as tags
    from rma.links as l
    join rma.conditions as c on c.id = l.member_id
    where l.owner_model = 'Donor'
        and l.association = 'conditions'
        and not starts_with(c.name, 'tissuecyte')
    group by l.owner_id
)
select
    s.id as specimen_id,
    s.name as specimen_name,
    s.donor_id,
    d.external_donor_name as donor_name,
    d.date_of_birth,
    l.cre_line,
    l.reporter_line,
    coalesce(l.transgenic_lines, []) as transgenic_lines,
    coalesce(n.tags, []) as tags
from rma.specimens as s
left join rma.donors as d on d.id = s.donor_id
left join lines as l on l.donor_id = s.donor_id
left join noted as n on n.donor_id = s.donor_id
