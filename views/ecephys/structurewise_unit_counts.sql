-- one structure of a session, with its units of default quality
-- spec: ecephys 5
-- sdk: EcephysSession.structurewise_unit_counts
-- partition: session_id
--   session_id           session
--   structure_acronym    structure
--   n_units              units of ecephys.good_units whose peak channel lies in it
select
    u.session_id,
    u.structure_acronym,
    count(*) as n_units
from ecephys.good_units as u
group by u.session_id, u.structure_acronym
