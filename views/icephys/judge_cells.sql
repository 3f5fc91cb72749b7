-- one cell with its result by quality criteria, and the reasons where it fails
-- spec: cell_types QC
-- macro: icephys.judge_cells(quality, blowout_mv_min := -10.0, blowout_mv_max := 10.0, electrode_0_pa_max := 200.0, seal_gohm_min := 1.0, access_resistance_mohm_min := 1.0, access_resistance_mohm_max := 20.0, input_access_resistance_ratio_max := 0.15)
--   quality                             relation (specimen_id, blowout_mv, electrode_0_pa, seal_gohm,
--                                       initial_access_resistance_mohm, input_resistance_mohm)
--   blowout_mv_min                      lowest potential after blowing out the pipette (mV)
--   blowout_mv_max                      highest (mV)
--   electrode_0_pa_max                  greatest current of the electrode in the bath, of either sign (pA)
--   seal_gohm_min                       lowest seal resistance (GOhm)
--   access_resistance_mohm_min          lowest access resistance (MOhm)
--   access_resistance_mohm_max          highest (MOhm)
--   input_access_resistance_ratio_max   greatest access over input resistance; the reference's record calls this bound
--                                       input_vs_access_resistance_min (1)
--   specimen_id                         cell
--   input_access_resistance_ratio       access over input resistance (1)
--   failed_blowout                      blowout missing or out of bounds
--   failed_electrode_0                  current in the bath missing or too great
--   failed_seal                         seal missing or too low
--   failed_bad_rs                       access resistance missing, out of bounds or too great beside the input's
--   fail_tags                           criteria it fails, and "missing" behind those that cannot be told
--   qc_result                           Pass or Fail
with _cells as (
    select
        quality.specimen_id,
        quality.initial_access_resistance_mohm / nullif(quality.input_resistance_mohm, 0)
            as input_access_resistance_ratio,
        case
            when quality.blowout_mv is null then 'blowout_mv missing'
            when quality.blowout_mv not between blowout_mv_min::double and blowout_mv_max::double then 'blowout_mv'
        end as blowout,
        case
            when quality.electrode_0_pa is null then 'electrode_0_pa missing'
            when abs(quality.electrode_0_pa) > electrode_0_pa_max::double then 'electrode_0_pa'
        end as electrode,
        case
            when quality.seal_gohm is null then 'seal_gohm missing'
            when quality.seal_gohm < seal_gohm_min::double then 'seal_gohm'
        end as seal,
        case
            when quality.initial_access_resistance_mohm is null then 'initial_access_resistance_mohm missing'
            when quality.initial_access_resistance_mohm
                not between access_resistance_mohm_min::double and access_resistance_mohm_max::double
                then 'initial_access_resistance_mohm'
        end as access,
        case
            when quality.initial_access_resistance_mohm / nullif(quality.input_resistance_mohm, 0) is null
                then 'input_access_resistance_ratio missing'
            when quality.initial_access_resistance_mohm / quality.input_resistance_mohm
                > input_access_resistance_ratio_max::double
                then 'input_access_resistance_ratio'
        end as ratio
    from query_table(quality) as quality
)
select
    c.specimen_id,
    c.input_access_resistance_ratio,
    c.blowout is not null as failed_blowout,
    c.electrode is not null as failed_electrode_0,
    c.seal is not null as failed_seal,
    c.access is not null or c.ratio is not null as failed_bad_rs,
    list_filter([c.blowout, c.electrode, c.seal, c.access, c.ratio], lambda reason: reason is not null) as fail_tags,
    case when coalesce(c.blowout, c.electrode, c.seal, c.access, c.ratio) is null then 'Pass' else 'Fail' end
        as qc_result
from _cells as c
