-- a slice through a template, or another volume of grey values, as one image
-- spec: connectivity P5, CON-005
-- sdk: ReferenceSpaceCache.get_template_volume
-- macro: ccf.grey_slice_image(plane_name, at_um, of_kind := 'template', at_resolution_um := null)
--   plane_name         coronal, horizontal or sagittal
--   at_um              position along the axis that it cuts; the nearest slice (um)
--   of_kind            template, nissl or grey
--   at_resolution_um   edge of a voxel (um); NULL: what is nearest to 25
--   plane              coronal, horizontal or sagittal, as asked for
--   slice_index        index of the slice along that axis
--   n_rows             rows of the image: coronal and sagittal along dv, horizontal along ap
--   n_columns          columns of the image: coronal and horizontal along ml, sagittal along ap
--   spacing_um         edge of a voxel (um)
--   grey_values        value of each voxel, row by row
with _chosen as (
    select
        ccf.grey_grid(of_kind, at_resolution_um := at_resolution_um) as grid,
        case plane_name
            when 'coronal' then 1
            when 'horizontal' then 2
            when 'sagittal' then 3
            else error('wrong: a plane is coronal, horizontal or sagittal, not ' || plane_name)
        end as axis
),
_cut as (
    select
        c.grid,
        case
            when at_um::double >= 0 and round_even(at_um::double / c.grid.spacing_um[c.axis], 0) < c.grid.shape[c.axis]
                then round_even(at_um::double / c.grid.spacing_um[c.axis], 0)::bigint
            else error('wrong: ' || at_um || ' um lies outside of the volume')
        end as slice_index,
        c.grid.shape[case plane_name when 'horizontal' then 1 else 2 end]::bigint as n_rows,
        c.grid.shape[case plane_name when 'sagittal' then 1 else 3 end]::bigint as n_columns
    from _chosen as c
),
_tiles as (
    select
        case plane_name when 'horizontal' then b.ap_block else b.dv_block end::bigint as tile_row,
        case plane_name when 'sagittal' then b.ap_block else b.ml_block end::bigint as tile_column,
        block_slice(b.voxel_bytes, c.grid.stored_dtype, plane_name, c.slice_index % 16) as tile
    from ccf.volume_blocks as b
    join _cut as c on c.grid.volume_id = b.volume_id
    where b.component = 0
        and case plane_name
            when 'coronal' then b.ap_block
            when 'horizontal' then b.dv_block
            else b.ml_block
        end = c.slice_index // 16
),
_gathered as (
    select list({'r': t.tile_row, 'c': t.tile_column, 'tile': t.tile}) as tiles
    from _tiles as t
)
select
    plane_name as plane,
    c.slice_index,
    c.n_rows,
    c.n_columns,
    c.grid.spacing_um[1] as spacing_um,
    image_of_tiles(
        list_transform(coalesce(g.tiles, []), lambda t: t.r),
        list_transform(coalesce(g.tiles, []), lambda t: t.c),
        list_transform(coalesce(g.tiles, []), lambda t: t.tile),
        c.n_rows,
        c.n_columns
    ) as grey_values
from _cut as c
cross join _gathered as g
