-- one voxel of a grid of the reference space that an annotation labels
-- spec: connectivity UNI-01, 3.3
-- macro: connectivity.annotated_voxels(at_grid_um := 100)
--   at_grid_um      edge of a voxel of the grid (um); the annotation is the coarsest whose voxels divide it
--   ml_index        index along ml, 0 left
--   dv_index        index along dv, 0 dorsal
--   ap_index        index along ap, 0 anterior
--   structure_id    structure at the middle of the voxel; just behind it, where four voxels of the annotation meet
--   hemisphere_id   1 left, 2 right
with _annotation as (
    select
        chosen.grid.volume_id as volume_id,
        case
            when at_grid_um::double % chosen.grid.spacing_um[1] = 0 then (at_grid_um // chosen.grid.spacing_um[1])::integer
            else error(
                'absent: no annotation whose voxels divide ' || at_grid_um || ' um is in this lake: '
                || '`brainlake ingest annotation_' || at_grid_um || '.nrrd --set version=ccf_2017` brings one'
            )
        end as factor
    from (
        select ccf.annotation_grid(at_resolution_um := (
            select max(v.resolution_um)
            from ccf.volumes as v
            where v.kind = 'annotation'
                and at_grid_um::double % v.resolution_um = 0
        )) as grid
    ) as chosen
),
_lines as (
    select
        r.ml_index // a.factor as ml_index,
        r.dv_index // a.factor as dv_index,
        -- indices whose middle lies in the run
        (r.ap_index - a.factor // 2 + a.factor - 1) // a.factor as first_index,
        (r.ap_index + r.n_voxels - 1 - a.factor // 2 + a.factor) // a.factor as stop_index,
        r.structure_id,
        r.hemisphere_id
    from ccf.annotation_runs as r
    join _annotation as a on a.volume_id = r.volume_id
    where r.ml_index % a.factor = a.factor // 2
        and r.dv_index % a.factor = a.factor // 2
)
select
    l.ml_index::smallint as ml_index,
    l.dv_index::smallint as dv_index,
    unnest(range(l.first_index, l.stop_index))::smallint as ap_index,
    l.structure_id,
    l.hemisphere_id
from _lines as l
where l.first_index < l.stop_index
