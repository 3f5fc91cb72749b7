-- true where a sweep's samples are in the lake; raises otherwise, saying what is there and what brings it
-- function: lake.require_sweep(specimen, sweep)
--   specimen   cell that a question asks for; NULL asks for none
--   sweep      number of its sweep; NULL asks for none
-- The cell first: what is wrong with it is the better answer.
(
    select
        case
            when specimen is null or sweep is null then true
            when not lake.require_specimen(specimen, 'samples') then false
            when count(*) > 0 then true
            else error(
                'unknown: cell ' || specimen || ' has no sweep ' || sweep
                || ': `select sweep_number from icephys.sweeps where specimen_id = ' || specimen || '` lists those it has'
            )
        end
    from icephys.nwb_sweeps as n
    where n.specimen_id = specimen::bigint
        and n.sweep_number = sweep::bigint
)
