-- one annotation with its grid, in the order in which questions take them where nobody chooses
-- spec: connectivity section 5
-- kept: for look-ups of points
--   volume_id       volume
--   version         version of the annotation, as ccf_2017; NULL where nothing tells it
--   resolution_um   edge of a voxel; NULL where edges differ (um)
--   shape           voxels along ap, dv and ml
--   spacing_um      edges of a voxel along ap, dv and ml (um)
--   preference      place in that order, from 1: ccf_2017 before others, what nothing tells last; nearest to 25 um first
select
    v.volume_id,
    v.version,
    v.resolution_um,
    v.shape,
    v.spacing_um,
    row_number() over (
        order by
            case when v.version = 'ccf_2017' then 0 when v.version is not null then 1 else 2 end,
            abs(coalesce(v.resolution_um, 1000000) - 25),
            v.volume_id
    ) as preference
from ccf.volumes as v
where v.kind = 'annotation'
