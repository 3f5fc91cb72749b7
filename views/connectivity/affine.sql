-- the affine alignment of an experiment: nine parameters row by row, then three offsets; y = M x + t
-- spec: connectivity XFM-01, CON-011, CON-042
-- sdk: MouseConnectivityCache.get_affine_parameters, GridDataApi.download_alignment3d
-- function: connectivity.affine(experiment, direction := 'trv')
--   experiment   experiment; raises where its alignment is not in the lake
--   direction    trv: reference to stack; tvr: stack to reference
(
    select
        case
            when count(*) = 0
                then error(
                    'absent: the alignment of experiment ' || experiment || ' is not in this lake: `brainlake ingest '
                    || 'experiment_' || experiment || '/alignment3d.json` brings it'
                )
            when direction not in ('trv', 'tvr')
                then error('connectivity.affine: the direction is trv or tvr, not ' || direction)
            else any_value(case direction when 'trv' then a.trv else a.tvr end)
        end
    from connectivity.alignments as a
    where a.experiment_id = experiment::bigint
)
