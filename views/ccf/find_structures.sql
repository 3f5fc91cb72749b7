-- one structure that is asked for, by id, acronym or name, in the order asked; raises for one that nobody knows
-- spec: connectivity ONT-06, CON-064
-- sdk: StructureTree.get_structures_by_acronym, StructureTree.get_structures_by_name, StructureTree.get_id_acronym_map, StructureTree.get_name_map
-- macro: ccf.find_structures(wanted, of_graph := 1)
--   wanted              id, acronym or name, or a list of them: ['VISp', 'AUDd'], [385, 1027]; NULL asks for none
--   of_graph            structure graph they are of
--   structure_id        structure
--   acronym             acronym
--   name                full name
--   structure_id_path   structures from the root down to this one
--   rgb                 colour: red, green, blue, 0-255
--   wanted_index        place in the list asked for, from 0
with _wanted as (
    select w.word, w.place - 1 as wanted_index
    from unnest(lake.text_list(wanted)) with ordinality as w(word, place)
),
_matches as (
    select
        w.word,
        w.wanted_index,
        s.structure_id,
        s.acronym,
        s.name,
        s.structure_id_path,
        s.rgb,
        -- an id before an acronym before a name
        row_number() over (
            partition by w.wanted_index
            order by s.structure_id::varchar = w.word desc, s.acronym = w.word desc, s.structure_id
        ) as place
    from _wanted as w
    left join (select * from ccf.structures where graph_id = of_graph) as s
        on s.structure_id::varchar = w.word or s.acronym = w.word or s.name = w.word
)
select
    case
        when m.structure_id is null
            then error(
                'unknown: there is no structure ' || m.word
                || ': `select structure_id, acronym, name from ccf.structures` lists those that are'
            )
        else m.structure_id
    end as structure_id,
    m.acronym,
    m.name,
    m.structure_id_path,
    m.rgb,
    m.wanted_index
from _matches as m
where m.place = 1
order by m.wanted_index
