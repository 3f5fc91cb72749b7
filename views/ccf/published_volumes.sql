-- one volume of the reference space that the Allen Institute publishes, and whether it is here
-- spec: connectivity 3.2, CON-034
-- sdk: ReferenceSpaceApi.AVERAGE_TEMPLATE, ReferenceSpaceApi.ARA_NISSL, ReferenceSpaceApi.VOXEL_RESOLUTION_10_MICRONS, ReferenceSpaceApi.VOXEL_RESOLUTION_25_MICRONS, ReferenceSpaceApi.VOXEL_RESOLUTION_50_MICRONS, ReferenceSpaceApi.VOXEL_RESOLUTION_100_MICRONS
--   kind            annotation, template or nissl
--   version         version of the annotation; NULL for others
--   resolution_um   edge of a voxel (um)
--   published_as    its path in the archive
--   shape           voxels along ap, dv and ml; NULL where it is not one for all volumes
--   fetched_by      command that brings it
--   volume_id       volume; NULL where it is not in this lake
-- `brainlake fetch` says where the archive has no such file: not all of them exist at each of the four resolutions.
with named as (
    select 'annotation' as kind, r.version, 'annotation/' || r.version || '/annotation_' as begins, r.graph_id = 1 as is_adult
    from ccf.reference_spaces as r
    union all
    select 'template', null, 'average_template/average_template_', true
    union all
    select 'nissl', null, 'ara_nissl/ara_nissl_', true
),
at_resolutions as (
    select n.*, unnest([10, 25, 50, 100])::integer as um from named as n
),
kept as (
    select v.kind, v.version, v.resolution_um, max(v.volume_id) as volume_id
    from ccf.volumes as v
    group by v.kind, v.version, v.resolution_um
)
select
    p.kind,
    p.version,
    p.um::double as resolution_um,
    p.begins || p.um || '.nrrd' as published_as,
    case when p.is_adult then [13200 // p.um, 8000 // p.um, 11400 // p.um] end as shape,
    'brainlake fetch ' || p.kind || coalesce(' --version ' || p.version, '') || ' --um ' || p.um as fetched_by,
    k.volume_id
from at_resolutions as p
left join kept as k
    on k.kind = p.kind and k.version is not distinct from p.version and k.resolution_um = p.um
