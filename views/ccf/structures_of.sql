-- one structure of the graphs and sets that are asked for, in the order of the graph
-- spec: connectivity CON-031
-- sdk: OntologiesApi.get_structures
-- macro: ccf.structures_of(graphs := null, sets := null)
--   graphs              id or name, in any case, of a structure graph, or a list of them: ['Mouse Brain Atlas'], [1]; NULL: all
--   sets                id or name of a structure set, or a list of them, in any case: ['summary structures']; NULL: all, also those of no set
--   structure_id        structure, once whatever sets it is in
--   acronym             acronym
--   name                full name
--   graph_id            structure graph it is of
--   graph_order         place in the order of the graph
--   structure_id_path   structures from the root down to this one
--   rgb                 colour: red, green, blue, 0-255
--   structure_set_ids   structure sets it belongs to, in order
-- Raises for a graph or set that nobody knows. Where both are given a structure is of both.
with _graphs as (
    select g.graph_id, g.name from ccf.structure_graphs as g
    union
    select s.graph_id, null from ccf.structures as s
),
_graphs_wanted as (
    select unnest(lake.text_list(graphs)) as word
),
_of_graphs as (
    select
        case
            when count(g.graph_id) = 0
                then error(
                    'unknown: there is no structure graph ' || w.word
                    || ': `select graph_id, name from ccf.structure_graphs` lists those that are'
                )
            else list(distinct g.graph_id)
        end as found
    from _graphs_wanted as w
    left join _graphs as g on g.graph_id::varchar = w.word or lower(g.name) = lower(w.word)
    group by w.word
),
_sets_wanted as (
    select unnest(lake.text_list(sets)) as word
),
_of_sets as (
    select
        case
            when count(k.structure_set_id) = 0
                then error(
                    'unknown: there is no structure set ' || w.word
                    || ': `select structure_set_id, name from ccf.structure_sets` lists those that are'
                )
            else list(distinct k.structure_set_id)
        end as found
    from _sets_wanted as w
    left join ccf.structure_sets as k on k.structure_set_id::varchar = w.word or lower(k.name) = lower(w.word)
    group by w.word
),
_members as (
    select
        m.graph_id,
        m.structure_id,
        list(distinct m.structure_set_id order by m.structure_set_id) as structure_set_ids
    from ccf.structure_set_members as m
    group by m.graph_id, m.structure_id
)
select
    s.structure_id,
    s.acronym,
    s.name,
    s.graph_id,
    s.graph_order,
    s.structure_id_path,
    s.rgb,
    coalesce(m.structure_set_ids, []) as structure_set_ids
from ccf.structures as s
left join _members as m on m.graph_id = s.graph_id and m.structure_id = s.structure_id
where (graphs is null or s.graph_id in (select unnest(g.found) from _of_graphs as g))
    and (
        sets is null
        or list_has_any(m.structure_set_ids, (select coalesce(flatten(list(k.found)), []) from _of_sets as k))
    )
order by s.graph_id, s.graph_order
