-- one annotation with the colours of the structures that it has
-- spec: connectivity RSP-09
-- kept: for slices, each of which is drawn with it
--   volume_id   volume
--   palette     structures that the annotation has: structure_id, acronym and rgb
with labels as (
    select distinct g.volume_id, g.structure_id from ccf.label_geometry as g
)
select
    l.volume_id,
    list(
        {'structure_id': s.structure_id, 'acronym': s.acronym, 'rgb': s.rgb} order by s.graph_order, s.structure_id
    ) as palette
from labels as l
join ccf.structures as s on s.structure_id = l.structure_id
group by l.volume_id
