-- one sphere around the soma with the edges of one type that cross it
-- spec: cell_types 1
-- macro: morphology.sholl(edges, spacing := 10)
--   edges           relation with morphology_id, node_type, euclidean_distance and parent_euclidean_distance, as
--                   morphology.compartments
--   spacing         distance between spheres, the first at 1 x spacing (um)
--   morphology_id   reconstruction
--   node_type       type of the edges
--   sphere_radius   radius of the sphere (um)
--   n_crossings     edges with one end inside the sphere and the other on or outside of it
with _reach as (
    select
        edges.morphology_id,
        edges.node_type,
        least(edges.euclidean_distance, edges.parent_euclidean_distance) as near,
        greatest(edges.euclidean_distance, edges.parent_euclidean_distance) as far
    from query_table(edges) as edges
    where isfinite(edges.euclidean_distance) and isfinite(edges.parent_euclidean_distance)
),
_spheres as (
    select
        r.morphology_id,
        r.node_type,
        unnest(range(floor(r.near / spacing::double)::bigint + 1, floor(r.far / spacing::double)::bigint + 1)) as sphere
    from _reach as r
)
select s.morphology_id, s.node_type, s.sphere * spacing::double as sphere_radius, count(*) as n_crossings
from _spheres as s
group by s.morphology_id, s.node_type, s.sphere
order by s.morphology_id, s.node_type, s.sphere
