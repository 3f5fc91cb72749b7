-- true where a cell is known, and what is wanted of it is in the lake; raises otherwise, saying what brings it
-- function: lake.require_specimen(specimen, wanted := 'cell')
--   specimen   cell that a question asks for; NULL asks for none
--   wanted     cell: anything about it; sweep_list: its sweeps as the warehouse lists them; recording: a file with its
--              sweeps; or a part of that file, as samples
-- Of tables, not of the views over them, whose planning would take longer than the question. One subquery of its own:
-- as a condition beside others it is computed first, also where no row meets the others.
(
    with told as (
        select 'recording' as what, n.ingest_id
        from icephys.nwb_sweeps as n
        where n.specimen_id = specimen::bigint
        union all
        select 'sweep_list', null
        from icephys.api_sweeps as s
        where s.specimen_id = specimen::bigint
        union all
        select 'cell', null
        from icephys.api_specimen_details as d
        where d.specimen_id = specimen::bigint
        union all
        select 'cell', null
        from icephys.csv_specimen_details as c
        where c.specimen_id = specimen::bigint
        union all
        select 'cell', null
        from icephys.legacy_specimens as g
        where g.specimen_id = specimen::bigint
        union all
        select 'cell', null
        from icephys.patchseq_cells as p
        where p.specimen_id = specimen::bigint
        union all
        select 'cell', null
        from icephys.api_ephys_features as e
        where e.specimen_id = specimen::bigint
        union all
        select 'cell', null
        from icephys.csv_ephys_features as f
        where f.specimen_id = specimen::bigint
    ),
    facts as (
        select
            count(*) > 0 as is_known,
            coalesce(bool_or(t.what = 'recording'), false) as is_recorded,
            coalesce(bool_or(t.what = 'sweep_list'), false) as is_listed
        from told as t
    ),
    parts as (
        select
            coalesce(bool_or(p.state = 'present'), false) as is_taken,
            any_value(i.source_url) filter (where p.state = 'available') as source_url
        from lake.parts as p
        left join lake.ingests as i on i.ingest_id = p.ingest_id
        where p.part = wanted
            and p.ingest_id in (select t.ingest_id from told as t)
    )
    select
        case
            when specimen is null then true
            when not f.is_known
                then error(
                    'unknown: there is no cell ' || specimen
                    || ': `select specimen_id from icephys.cells` lists those that are'
                )
            when wanted = 'cell' then true
            when wanted = 'sweep_list' and f.is_listed then true
            when wanted = 'sweep_list'
                then error(
                    'absent: cell ' || specimen || ' is known, but its list of sweeps is not in this lake: '
                    || '`brainlake fetch sweeps ' || specimen || '` brings it'
                )
            when not f.is_recorded
                then error(
                    'absent: cell ' || specimen || ' is known, but its recording is not in this lake: '
                    || '`brainlake fetch recordings ' || specimen || '` brings it'
                )
            when wanted = 'recording' or p.is_taken then true
            else error(
                'absent: the ' || wanted || ' of cell ' || specimen || ' are not in this lake: `brainlake ingest '
                || coalesce(lake.shell_word(p.source_url), 'FILE') || ' --with ' || wanted || '` brings them'
            )
        end
    from facts as f
    cross join parts as p
)
