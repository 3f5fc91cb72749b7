-- one node on the way from a node of a tree to its root, itself first
-- spec: cell_types MO-17, CT-180
-- sdk: SimpleTree.ancestors, SimpleTree.ancestor_ids
-- macro: morphology.ancestors(tree, of_node)
--   tree       relation (node_id, parent_id) of one tree, any table that has such; a parent that is no node ends the way
--   of_node    node to begin at; raises where it is no node of the tree
--   node_id    node
--   steps      edges from of_node to it
with recursive _tree as (
    select tree.node_id, tree.parent_id
    from query_table(tree) as tree
),
_ancestors as (
    select t.node_id, t.parent_id, 0 as steps
    from _tree as t
    where t.node_id = of_node
        and case
            when (select count(*) from _tree as k where k.node_id = of_node) > 1
                then error('wrong: node_id ' || of_node || ' is doubled: give the nodes of one tree')
            else true
        end
    union all
    select t.node_id, t.parent_id, a.steps + 1
    from _ancestors as a
    join _tree as t on t.node_id = a.parent_id
    where a.steps < (select count(*) from _tree)
)
select a.node_id, a.steps
from _ancestors as a
where (
    select
        case
            when count(*) = 0 then error('unknown: node_id ' || of_node || ' is no node of the tree')
            else true
        end
    from _tree as k
    where k.node_id = of_node
)
order by a.steps
