-- true where what is wanted of a sweep is in the lake; raises otherwise, saying what is there and what brings it
-- function: lake.require_sweep(specimen, sweep, wanted := 'samples')
--   specimen   cell that a question asks for; NULL asks for none
--   sweep      number of its sweep; NULL asks for none
--   wanted     part of the recording's file
(
    select
        case
            when specimen is null or sweep is null then true
            when count(*) = 0
                then error(
                    'unknown: there is no cell ' || specimen
                    || ': `select distinct specimen_id from icephys.sweeps` lists those with sweeps'
                )
            when not bool_or(h.is_recorded)
                then error(
                    'absent: cell ' || specimen || ' is known, but its recording is not in this lake: '
                    || '`brainlake fetch recordings ' || specimen || '` brings it'
                )
            when not bool_or(list_contains(h.sweep_numbers, sweep::bigint))
                then error(
                    'unknown: the recording of cell ' || specimen || ' has no sweep ' || sweep
                    || ': `select sweep_number from icephys.sweeps where specimen_id = ' || specimen
                    || ' and is_recorded` lists those it has'
                )
            when bool_or(list_contains(h.available_parts, wanted))
                then error(
                    'absent: the ' || replace(wanted, '_', ' ') || ' of cell ' || specimen || ' are not in this lake: `brainlake ingest '
                    || coalesce(any_value(h.source_url), 'FILE') || ' --with ' || wanted || '` brings them'
                )
            else true
        end
    from icephys.cell_holdings as h
    where h.specimen_id = specimen::bigint
)
