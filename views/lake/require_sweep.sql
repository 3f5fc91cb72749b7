-- true where what is wanted of a sweep is in the lake; raises otherwise, saying what is there and what brings it
-- function: lake.require_sweep(specimen, sweep, wanted := 'samples')
--   specimen   cell that a question asks for; NULL asks for none
--   sweep      number of its sweep; NULL asks for none
--   wanted     part of the recording's file
-- Of tables only, not of the views over them: whoever fetches a sweep waits for this to be planned.
(
    with told as (
        select
            'recording' as what,
            n.sweep_number = sweep::bigint as is_it,
            n.ingest_id
        from icephys.nwb_sweeps as n
        where n.specimen_id = specimen::bigint
        union all
        select 'list', s.sweep_number = sweep::bigint, null
        from icephys.api_sweeps as s
        where s.specimen_id = specimen::bigint
        union all
        select 'cell', false, null
        from icephys.csv_specimen_details as c
        where c.specimen_id = specimen::bigint
        union all
        select 'cell', false, null
        from icephys.api_specimen_details as d
        where d.specimen_id = specimen::bigint
    ),
    facts as (
        select
            count(*) > 0 as is_known,
            coalesce(bool_or(t.what = 'recording'), false) as is_recorded,
            coalesce(bool_or(t.what = 'recording' and t.is_it), false) as has_sweep,
            any_value(t.ingest_id) filter (where t.what = 'recording') as ingest_id
        from told as t
    )
    select
        case
            when specimen is null or sweep is null then true
            when not f.is_known
                then error(
                    'unknown: there is no cell ' || specimen
                    || ': `select distinct specimen_id from icephys.sweeps` lists those with sweeps'
                )
            when not f.is_recorded
                then error(
                    'absent: cell ' || specimen || ' is known, but its recording is not in this lake: '
                    || '`brainlake fetch recordings ' || specimen || '` brings it'
                )
            when not f.has_sweep
                then error(
                    'unknown: the recording of cell ' || specimen || ' has no sweep ' || sweep
                    || ': `select sweep_number from icephys.sweeps where specimen_id = ' || specimen
                    || ' and is_recorded` lists those it has'
                )
            when p.state is distinct from 'available' then true
            else error(
                'absent: the ' || replace(wanted, '_', ' ') || ' of cell ' || specimen || ' are not in this lake: `brainlake ingest '
                || coalesce(i.source_url, 'FILE') || ' --with ' || wanted || '` brings them'
            )
        end
    from facts as f
    left join lake.parts as p on p.ingest_id = f.ingest_id and p.part = wanted
    left join lake.ingests as i on i.ingest_id = f.ingest_id
)
