-- one cell of the Brain Observatory under its old id, and what it is called now in one session
-- spec: api C-BO7, ophys 2.3
-- sdk: BrainObservatoryApi.get_cell_specimen_id_mapping
-- An old id may lead to other cells in each session, and several old ids to one.
--   old_cell_specimen_id   id that it had before cells were matched anew
--   session_letter         A, B or C
--   cell_specimen_id       id that it has
select
    m.old_cell_specimen_id,
    l.session_letter,
    case l.session_letter
        when 'A' then m.session_a_cell_specimen_id
        when 'B' then m.session_b_cell_specimen_id
        else m.session_c_cell_specimen_id
    end as cell_specimen_id
from ophys.cell_mappings as m
cross join (values ('A'), ('B'), ('C')) as l(session_letter)
where cell_specimen_id is not null
