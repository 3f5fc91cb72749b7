-- true where a cell is known, and what is wanted of it is in the lake; raises otherwise, saying what brings it
-- function: lake.require_specimen(specimen, wanted_part := 'cell')
--   specimen       cell that a question asks for; NULL asks for none
--   wanted_part    cell: anything about it; sweeps: its list of sweeps; features: its published features
-- One subquery of its own: as a condition beside others it is computed first, also where no row meets the others.
(
    with told as (
        select 'cell' as part
        from icephys.cells as c
        where c.specimen_id = specimen::bigint
        union all
        select 'cell'
        from icephys.patchseq_cells as p
        where p.specimen_id = specimen::bigint
        union all
        select 'features'
        from icephys.published_ephys_features as e
        where e.specimen_id = specimen::bigint
        union all
        select 'sweeps'
        from icephys.api_sweeps as s
        where s.specimen_id = specimen::bigint
    ),
    facts as (
        select
            count(*) > 0 as is_known,
            coalesce(bool_or(t.part = wanted_part), false) as is_here
        from told as t
    )
    select
        case
            when specimen is null or (f.is_known and (wanted_part = 'cell' or f.is_here)) then true
            when f.is_known and wanted_part = 'sweeps'
                then error(
                    'absent: cell ' || specimen || ' is known, but its list of sweeps is not in this lake: '
                    || '`brainlake ingest specimen_' || specimen || '/ephys_sweeps.json` brings it'
                )
            when f.is_known
                then error(
                    'absent: cell ' || specimen || ' is known, but its ' || wanted_part || ' are not in this lake: '
                    || '`brainlake ingest ephys_features.csv` brings them'
                )
            else error(
                'unknown: there is no cell ' || specimen
                || ': `select specimen_id from icephys.cells` lists those that are'
            )
        end
    from facts as f
)
