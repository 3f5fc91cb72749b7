-- one animal or person that cells of the Cell Types Database come from
-- spec: cell_types 3.1, CT-026
--   donor_id          animal or person
--   n_cells           cells of the donor
--   cell_ids          their specimen ids, ascending
--   transgenic_line   transgenic driver line
select
    d.donor_id,
    min(d.donor_name) as donor_name,
    min(d.species) as species,
    min(d.donor_age) as donor_age,
    min(d.donor_sex) as donor_sex,
    min(d.donor_race) as donor_race,
    min(d.disease_state) as disease_state,
    min(d.years_of_seizure_history) as years_of_seizure_history,
    min(d.line_name) as transgenic_line,
    count(*) as n_cells,
    list(d.specimen_id order by d.specimen_id) as cell_ids
from icephys.specimen_details as d
where d.donor_id is not null
group by d.donor_id
