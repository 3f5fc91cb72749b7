-- the annotation that a question is answered from, with its grid: that of ccf_2017 at 25 um if there is one
-- spec: connectivity section 5
-- function: ccf.annotation_grid(at_resolution_um := null, of_version := null)
--   at_resolution_um   edge of a voxel (um); NULL: what is nearest to 25
--   of_version         version, as ccf_2017; NULL: ccf_2017 before others, those that nothing tells last
-- A struct: volume_id, shape (voxels along ap, dv, ml) and spacing_um. Raises where there is no such annotation.
(
    select
        case
            when count(*) = 0
                then error(
                    'absent: no annotation' || coalesce(' of ' || of_version, '')
                    || coalesce(' at ' || at_resolution_um || ' um', '')
                    || ' is in this lake: `brainlake ingest annotation_25.nrrd --set version=ccf_2017` brings one'
                )
            else arg_min({'volume_id': v.volume_id, 'shape': v.shape, 'spacing_um': v.spacing_um}, v.preference)
        end
    from ccf.annotation_grids as v
    where (at_resolution_um is null or v.resolution_um = at_resolution_um::double)
        and (of_version is null or v.version = of_version)
)
