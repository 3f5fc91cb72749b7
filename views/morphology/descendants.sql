-- one node at or below a node of a tree, itself first, depth first from the last child
-- spec: cell_types MO-17, CT-180
-- sdk: SimpleTree.descendants, SimpleTree.descendant_ids, SimpleTree.children
-- macro: morphology.descendants(tree, of_node)
--   tree       relation (node_id, parent_id) of one tree, any table that has such
--   of_node    node to begin at; raises where it is no node of the tree
--   node_id    node
--   steps      edges from of_node to it; 1 are its children
with recursive _tree as (
    select tree.node_id, tree.parent_id
    from query_table(tree) as tree
),
_descendants as (
    select t.node_id, 0 as steps, [-t.node_id] as way
    from _tree as t
    where t.node_id = of_node
    union all
    select t.node_id, d.steps + 1, list_append(d.way, -t.node_id)
    from _descendants as d
    join _tree as t on t.parent_id = d.node_id
    where not list_contains(d.way, -t.node_id)
)
select d.node_id, d.steps
from _descendants as d
where (
    select
        case
            when count(*) = 0 then error('unknown: node_id ' || of_node || ' is no node of the tree')
            when count(*) > 1 then error('wrong: node_id ' || of_node || ' is doubled: give the nodes of one tree')
            else true
        end
    from _tree as k
    where k.node_id = of_node
)
order by d.way
