-- true where the unionizes of experiments are in the lake; raises for one that has none, saying whether anybody knows it
-- function: connectivity.require_unionizes(experiments)
--   experiments   experiment or a list of them that a question asks for; NULL asks for none
(
    with asked as (
        select unnest(lake.id_list(experiments)) as experiment_id
    ),
    found as (
        select distinct u.experiment_id
        from connectivity.published_unionizes as u
        where u.experiment_id in (select a.experiment_id from asked as a)
    ),
    missing as (
        select min(a.experiment_id) as experiment_id
        from asked as a
        where a.experiment_id not in (select f.experiment_id from found as f)
    )
    select
        case
            when m.experiment_id is null then true
            when m.experiment_id in (select e.experiment_id from connectivity.experiments as e)
                or m.experiment_id in (select g.experiment_id from connectivity.grids as g)
                then error(
                    'absent: experiment ' || m.experiment_id || ' is known, but its unionizes are not in this lake: '
                    || '`brainlake ingest experiment_' || m.experiment_id || '/structure_unionizes.csv` brings them'
                )
            else error(
                'unknown: there is no experiment ' || m.experiment_id
                || ': `select experiment_id from connectivity.experiments` lists those that are'
            )
        end
    from missing as m
)
