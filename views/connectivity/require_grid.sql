-- the experiment whose grid is asked for; raises where the grid is not in the lake, saying what brings it
-- function: connectivity.require_grid(experiment, of_measure, at_grid_um)
--   experiment   experiment
--   of_measure   what was measured
--   at_grid_um   edge of a voxel (um)
(
    select
        case
            when count_if(g.measure = of_measure and g.grid_um = at_grid_um::integer) > 0 then experiment::bigint
            else error(
                case
                    when count(*) > 0 or experiment::bigint in (select e.experiment_id from connectivity.experiments as e)
                        then 'absent: experiment ' || experiment || ' is known, but its ' || of_measure || ' at '
                            || at_grid_um || ' um is not in this lake: `brainlake ingest experiment_' || experiment
                            || '/' || of_measure || '_' || at_grid_um || '.nrrd` brings it'
                    else 'unknown: there is no experiment ' || experiment
                        || ': `select experiment_id from connectivity.experiments` lists those that are'
                end
            )
        end
    from connectivity.grids as g
    where g.experiment_id = experiment::bigint
)
