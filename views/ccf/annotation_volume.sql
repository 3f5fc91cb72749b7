-- the annotation that a question is answered from: of ccf_2017 at 25 um if there is one; raises where there is none
-- spec: connectivity section 5
-- function: ccf.annotation_volume(at_resolution_um := null, of_version := null)
--   at_resolution_um   edge of a voxel (um); NULL: what is nearest to 25
--   of_version         version, as ccf_2017; NULL: ccf_2017 before others, those that nothing tells last
(
    select
        case
            when count(*) = 0
                then error(
                    'absent: no annotation' || coalesce(' of ' || of_version, '')
                    || coalesce(' at ' || at_resolution_um || ' um', '')
                    || ' is in this lake: `brainlake ingest annotation_25.nrrd --set version=ccf_2017` brings one'
                )
            else arg_min(
                v.volume_id,
                (
                    case when v.version = 'ccf_2017' then 0 when v.version is not null then 1 else 2 end,
                    abs(coalesce(v.resolution_um, 1000000) - 25),
                    v.volume_id
                )
            )
        end
    from ccf.volumes as v
    where v.kind = 'annotation'
        and (at_resolution_um is null or v.resolution_um = at_resolution_um::double)
        and (of_version is null or v.version = of_version)
)
