-- one structure set: structures that belong together for a purpose
-- spec: connectivity 3.1, ONT-09, CON-030
-- sdk: OntologiesApi.get_structure_sets, StructureTree.get_structure_sets
--   structure_set_id   structure set
--   name               name, as a record of the API has it, or what the set is known as
--   description        description, as a record of the API has it
--   n_structures       structures of it that are listed
with known(structure_set_id, known_as) as (
    values
        (2, 'coarse structures'),
        (3, 'areas'),
        (10, 'fine structures that searches offer'),
        (12, 'structures of the differential search'),
        (112905813, 'primary and secondary injection structures of the connectivity atlas'),
        (112905828, 'primary and secondary injection structures of the transgenic connectivity atlas'),
        (114512891, 'primary injection structures of the connectivity atlas'),
        (114512892, 'primary injection structures of the transgenic connectivity atlas'),
        (167587189, 'summary structures'),
        (184527634, 'targets that projections are measured in'),
        (396673091, 'visual areas with layers'),
        (514166994, 'visual areas of the observatory'),
        (667481440, 'isocortex layer 1'),
        (667481441, 'isocortex layer 2/3'),
        (667481445, 'isocortex layer 4'),
        (667481446, 'isocortex layer 5'),
        (667481449, 'isocortex layer 6a'),
        (667481450, 'isocortex layer 6b'),
        (687527670, 'major divisions'),
        (687527945, 'divisions of cortex'),
        (688152357, 'summary structures of the isocortex'),
        (688152358, 'summary structures of the olfactory areas'),
        (688152359, 'summary structures of the hippocampal formation'),
        (688152360, 'summary structures of the cortical subplate'),
        (688152361, 'summary structures of the striatum'),
        (688152362, 'summary structures of the pallidum'),
        (688152363, 'summary structures of the thalamus'),
        (688152364, 'summary structures of the hypothalamus'),
        (688152365, 'summary structures of the midbrain'),
        (688152366, 'summary structures of the pons'),
        (688152367, 'summary structures of the medulla'),
        (688152368, 'summary structures of the cerebellum'),
        (691663206, 'structures with a mesh')
),
counted as (
    select m.structure_set_id, count(*) as n_structures
    from ccf.structure_set_members as m
    group by m.structure_set_id
),
named as (
    select
        n.structure_set_id,
        arg_min(n.name, n.graph_id) as name,
        arg_min(n.description, n.graph_id) as description
    from ccf.named_structure_sets as n
    group by n.structure_set_id
),
listed as (
    select c.structure_set_id from counted as c
    union
    select n.structure_set_id from named as n
)
select
    l.structure_set_id,
    coalesce(n.name, k.known_as) as name,
    n.description,
    coalesce(c.n_structures, 0) as n_structures
from listed as l
left join named as n on n.structure_set_id = l.structure_set_id
left join known as k on k.structure_set_id = l.structure_set_id
left join counted as c on c.structure_set_id = l.structure_set_id
