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
            else arg_min(case direction when 'trv' then a.trv else a.tvr end, a.place)
        end
    from (
        select k.trv, k.tvr, 1 as place
        from connectivity.alignments as k
        where k.experiment_id = experiment::bigint
        union all
        select
            [
                r.trv_00, r.trv_01, r.trv_02, r.trv_03, r.trv_04, r.trv_05,
                r.trv_06, r.trv_07, r.trv_08, r.trv_09, r.trv_10, r.trv_11
            ],
            [
                r.tvr_00, r.tvr_01, r.tvr_02, r.tvr_03, r.tvr_04, r.tvr_05,
                r.tvr_06, r.tvr_07, r.tvr_08, r.tvr_09, r.tvr_10, r.tvr_11
            ],
            2
        from rma.alignment3ds as r
        where r.aligned_id = experiment::bigint
    ) as a
)
