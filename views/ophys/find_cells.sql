-- one cell of the Brain Observatory, with its metrics, that all given filters let through
-- spec: api C-BO4, C-BO5, D-20
-- sdk: BrainObservatoryCache.get_cell_specimens, BrainObservatoryApi.filter_cell_specimens, BrainObservatoryApi.dataframe_query, BrainObservatoryApi.dataframe_query_string
-- Filters are as the Brain Observatory's portal gives them, and a cell meets them all; what a cell has no value of, it
-- does not meet. True and false are compared as 1 and 0.
-- macro: ophys.find_cells(filters := '[]', ids := null, containers := null, include_failed := false)
--   filters          JSON: a list of objects with field (a column of rma.api_cam_cell_metrics, or of its extra), op (<,
--                    >, <=, >=, =, is, in, between) and value
--   ids              one or a list of cells
--   containers       one or a list of experiment containers
--   include_failed   true: also cells of containers that failed the control of quality
with given as (
    select
        f.value ->> '$.field' as field,
        f.value ->> '$.op' as operator,
        case when f.value ->> '$.value' is null then []
            when json_type(f.value -> '$.value') = 'ARRAY' then (f.value -> '$.value')::json[]
            else [f.value -> '$.value']
        end as wanted
    from json_each(
        case when json_type(filters) = 'ARRAY' then filters else error('the filters are a list of objects') end
    ) as f
),
told as (
    select m, to_json(m) as record, m.extra::json as extra
    from rma.api_cam_cell_metrics as m
),
fields as (
    select unnest(json_keys(one.record)) as field
    from (select t.record from told as t limit 1) as one
    union
    select unnest(json_keys(t.extra)) as field
    from told as t
    where t.extra is not null
),
checked as (
    select
        case
            when g.field is null or g.operator is null then error('a filter has field, op and value')
            when g.field not in (select f.field from fields as f)
                then error('unknown: no cell has a field ' || g.field || ': rma.api_cam_cell_metrics tells which there are')
            when not list_contains(['=', '<', '>', '<=', '>=', 'is', 'in', 'between'], g.operator)
                then error('there is no operator ' || g.operator || ': there are = < > <= >= is in between')
            when len(g.wanted) <> case g.operator when 'between' then 2 else 1 end and g.operator <> 'in'
                then error('the filter of ' || g.field || ' by ' || g.operator || ' has another number of values')
            else '$."' || g.field || '"'
        end as place,
        g.operator,
        list_transform(g.wanted, lambda w: w ->> '$') as texts,
        list_transform(
            g.wanted,
            lambda w: case json_type(w) when 'BOOLEAN' then w::boolean::int::double else try_cast(w ->> '$' as double) end
        ) as numbers
    from given as g
),
listed as (
    select list(c) as conditions
    from checked as c
)
select
    t.m.cell_specimen_id,
    t.m.experiment_container_id,
    t.m.tld1_id,
    t.m.tld2_id,
    t.m.tlr1_id,
    t.m.imaging_depth,
    t.m.area,
    t.m.tld1_name,
    t.m.tld2_name,
    t.m.tlr1_name,
    t.m.failed_experiment_container,
    t.m.all_stim,
    t.m.osi_dg,
    t.m.dsi_dg,
    t.m.g_osi_dg,
    t.m.g_dsi_dg,
    t.m.pref_dir_dg,
    t.m.pref_tf_dg,
    t.m.p_dg,
    t.m.p_run_mod_dg,
    t.m.run_mod_dg,
    t.m.reliability_dg,
    t.m.peak_dff_dg,
    t.m.tfdi_dg,
    t.m.osi_sg,
    t.m.g_osi_sg,
    t.m.pref_ori_sg,
    t.m.pref_sf_sg,
    t.m.pref_phase_sg,
    t.m.p_sg,
    t.m.p_run_mod_sg,
    t.m.run_mod_sg,
    t.m.reliability_sg,
    t.m.peak_dff_sg,
    t.m.time_to_peak_sg,
    t.m.sfdi_sg,
    t.m.image_sel_ns,
    t.m.pref_image_ns,
    t.m.p_ns,
    t.m.p_run_mod_ns,
    t.m.run_mod_ns,
    t.m.reliability_ns,
    t.m.peak_dff_ns,
    t.m.time_to_peak_ns,
    t.m.reliability_nm1_a,
    t.m.reliability_nm1_b,
    t.m.reliability_nm1_c,
    t.m.reliability_nm2,
    t.m.reliability_nm3,
    t.m.rf_area_on_lsn,
    t.m.rf_area_off_lsn,
    t.m.rf_center_on_x_lsn,
    t.m.rf_center_on_y_lsn,
    t.m.rf_center_off_x_lsn,
    t.m.rf_center_off_y_lsn,
    t.m.rf_chi2_lsn,
    t.m.rf_distance_lsn,
    t.m.rf_overlap_index_lsn,
    t.m.extra
from told as t, listed as l
where (include_failed or not coalesce(t.m.failed_experiment_container, false))
    and (ids is null or list_contains(lake.id_list(ids), t.m.cell_specimen_id))
    and (containers is null or list_contains(lake.id_list(containers), t.m.experiment_container_id))
    and coalesce(
        list_bool_and(list_transform(
            l.conditions,
            lambda c: case json_type(coalesce(t.record -> c.place, t.extra -> c.place))
                when 'VARCHAR' then ophys.compares(
                    coalesce(t.record -> c.place, t.extra -> c.place) ->> '$', c.operator, c.texts)
                when 'BOOLEAN' then ophys.compares(
                    (coalesce(t.record -> c.place, t.extra -> c.place))::boolean::int::double, c.operator, c.numbers)
                else ophys.compares(
                    try_cast(coalesce(t.record -> c.place, t.extra -> c.place) ->> '$' as double), c.operator, c.numbers)
            end
        )),
        true
    )
order by t.m.cell_specimen_id
