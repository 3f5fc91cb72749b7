-- the slice of an annotation that is nearest to a position; raises where the volume has none there
-- spec: connectivity RSP-09
-- macro: ccf.slice_cut(plane_name, at_um, at_resolution_um := null, of_version := null)
--   plane_name         coronal, horizontal or sagittal
--   at_um              position along the axis that it cuts (um)
--   at_resolution_um   edge of a voxel of the annotation (um); NULL: what is nearest to 25
--   of_version         version of the annotation; NULL: ccf_2017 before others
--   volume_id          volume
--   shape              voxels along ap, dv and ml
--   spacing_um         edges of a voxel along ap, dv and ml (um)
--   slice_index        index of the slice, the position rounded half to even
with _chosen as (
    select
        ccf.annotation_grid(at_resolution_um := at_resolution_um, of_version := of_version) as grid,
        case plane_name
            when 'coronal' then 1
            when 'horizontal' then 2
            when 'sagittal' then 3
            else error('wrong: a plane is coronal, horizontal or sagittal, not ' || plane_name)
        end as axis
),
_measured as (
    select
        c.grid,
        c.grid.shape[c.axis] as n_slices,
        c.grid.spacing_um[c.axis] as edge_um,
        round_even(at_um::double / c.grid.spacing_um[c.axis], 0) as slice_index
    from _chosen as c
)
select
    m.grid.volume_id,
    m.grid.shape,
    m.grid.spacing_um,
    case
        when at_um::double >= 0 and m.slice_index < m.n_slices then m.slice_index::bigint
        else error(
            'wrong: ' || at_um || ' um lies outside of the volume, which has '
            || m.n_slices || ' slices of ' || m.edge_um || ' um'
        )
    end as slice_index
from _measured as m
