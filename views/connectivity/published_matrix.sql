-- one cell of a matrix of experiments by targets, as a paper published it
-- spec: connectivity EXP-06, P2
-- macro: connectivity.published_matrix(of_matrix := 'normalized_projection_volume')
--   of_matrix       name of the matrix: of the sheet or the dataset; `select distinct matrix_name from connectivity.published_matrices`
--   matrix_row      row, from 0, as published
--   matrix_column   column, from 0, as published
--   experiment_id   experiment
--   structure_id    target; NULL where the ontology of this lake has not its acronym
--   hemisphere_id   1 left, 2 right: all these experiments were injected on the right; NULL for a matrix of sources
--   target          acronym of the target, with -R or -L
--   matrix_value    value
select
    p.matrix_row,
    p.matrix_column,
    p.experiment_id,
    coalesce(p.structure_id, s.structure_id) as structure_id,
    case p.side when 'ipsilateral' then 2 when 'contralateral' then 1 end::tinyint as hemisphere_id,
    coalesce(p.structure_acronym, i.acronym, p.structure_id::varchar)
    || case p.side when 'ipsilateral' then '-R' when 'contralateral' then '-L' else '' end as target,
    p.matrix_value
from connectivity.published_matrices as p
left join ccf.structures as s on s.acronym = p.structure_acronym
left join ccf.structures as i on i.structure_id = p.structure_id
where p.matrix_name = of_matrix
