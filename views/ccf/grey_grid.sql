-- the volume of grey values that a question is answered from, with its grid: what is nearest to 25 um
-- spec: connectivity section 5
-- function: ccf.grey_grid(of_kind, at_resolution_um := null)
--   of_kind            template, nissl or grey
--   at_resolution_um   edge of a voxel (um); NULL: what is nearest to 25
-- A struct: volume_id, shape (voxels along ap, dv, ml), spacing_um and stored_dtype. Raises where there is no such volume.
(
    select
        case
            when count(*) = 0
                then error(
                    'absent: no volume of kind ' || of_kind || coalesce(' at ' || at_resolution_um || ' um', '')
                    || ' is in this lake: `brainlake ingest average_template_25.nrrd` brings the template'
                )
            else arg_min(
                {
                    'volume_id': v.volume_id,
                    'shape': v.shape,
                    'spacing_um': v.spacing_um,
                    'stored_dtype': v.stored_dtype
                },
                (abs(coalesce(v.resolution_um, 1000000) - 25), v.volume_id)
            )
        end
    from ccf.volumes as v
    where v.kind = of_kind
        and v.stored_as = 'blocks'
        and (at_resolution_um is null or v.resolution_um = at_resolution_um::double)
)
