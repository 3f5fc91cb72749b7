-- one sweep with its state by quality criteria, and the reasons where it fails
-- spec: cell_types QC
-- macro: icephys.judge_sweeps(quality, pre_noise_rms_mv_max := 0.07, post_noise_rms_mv_max := 0.07, slow_noise_rms_mv_max := 0.5, vm_delta_mv_max := 1.0, current_clamp_codes := ['C1LSCOARSE', 'C1LSFINEST', 'C1NSSEED_1', 'C1NSSEED_2', 'C1RP25PR1S', 'C1SQCAPCHK', 'C1SSCOARSE', 'C1SSFINEST', 'C2NSRMPRH', 'C2SQRHELNG', 'C2SSHM', 'C2SSTRIPLE', 'EXTPBLWOUT'], voltage_clamp_codes := ['EXTPBREAKN', 'EXTPCllATT', 'EXTPEXPEND', 'EXTPGGAEND', 'EXTPINBATH', 'EXTPRSCHEK', 'EXTPSMOKE'])
--   quality                 relation (specimen_id, sweep_number, clamp_mode, stimulus_code, is_complete,
--                           stimulus_duration, pre_noise_rms_mv, post_noise_rms_mv, slow_noise_rms_mv, vm_delta_mv)
--   pre_noise_rms_mv_max    most noise before the stimulus (mV)
--   post_noise_rms_mv_max   most noise at the end (mV)
--   slow_noise_rms_mv_max   most noise over 500 ms before the stimulus (mV)
--   vm_delta_mv_max         greatest change of the potential (mV)
--   current_clamp_codes     how codes of current-clamp stimuli begin; C1NSSEED_1 or C1NSSEED_2 admits a bare C1NSSEED
--   voltage_clamp_codes     how codes of voltage-clamp stimuli begin
--   specimen_id             cell
--   sweep_number            sweep
--   state                   Pass or Fail; NULL in voltage clamp, which is not judged
--   reasons                 criteria it fails, and "missing" behind those that cannot be told; empty if it passes
with _sweeps as (
    select
        quality.specimen_id,
        quality.sweep_number,
        quality.clamp_mode,
        quality.stimulus_code,
        quality.is_complete,
        quality.stimulus_duration,
        quality.pre_noise_rms_mv,
        quality.post_noise_rms_mv,
        quality.slow_noise_rms_mv,
        quality.vm_delta_mv,
        starts_with(quality.stimulus_code, 'C1RP') as is_ramp,
        case
            when list_bool_or(list_transform(
                current_clamp_codes,
                lambda code: starts_with(quality.stimulus_code, code)
                    or (starts_with(code, 'C1NSSEED_') and quality.stimulus_code = 'C1NSSEED')
            )) then 'current_clamp'
            when list_bool_or(list_transform(
                voltage_clamp_codes, lambda code: starts_with(quality.stimulus_code, code)
            )) then 'voltage_clamp'
        end as expected_mode
    from query_table(quality) as quality
),
_protocol as (
    select
        s.*,
        case
            when s.stimulus_code is null then 'stimulus_code missing'
            when s.expected_mode is null then 'stimulus_code'
            when s.clamp_mode is null then 'clamp_mode missing'
            when s.clamp_mode <> s.expected_mode then 'clamp_mode'
        end as protocol_reason
    from _sweeps as s
),
_judged as (
    select
        p.*,
        case
            when p.protocol_reason is not null then [p.protocol_reason]
            else list_filter(
                [
                    case
                        when p.pre_noise_rms_mv is null then 'pre_noise_rms_mv missing'
                        when p.pre_noise_rms_mv > pre_noise_rms_mv_max::double then 'pre_noise_rms_mv'
                    end,
                    case
                        when p.is_ramp then null
                        when p.is_complete is null then 'is_complete missing'
                        when not p.is_complete then 'truncated'
                        when p.post_noise_rms_mv is null then 'post_noise_rms_mv missing'
                        when p.post_noise_rms_mv > post_noise_rms_mv_max::double then 'post_noise_rms_mv'
                    end,
                    case
                        when p.slow_noise_rms_mv is null then 'slow_noise_rms_mv missing'
                        when p.slow_noise_rms_mv > slow_noise_rms_mv_max::double then 'slow_noise_rms_mv'
                    end,
                    case
                        when p.vm_delta_mv is null and not p.is_ramp and p.is_complete then 'vm_delta_mv missing'
                        when p.vm_delta_mv > vm_delta_mv_max::double then 'vm_delta_mv'
                    end,
                    case
                        when starts_with(p.stimulus_code, 'EXTP') then null
                        when p.stimulus_duration is null then 'stimulus_duration missing'
                        when p.stimulus_duration <= 0 then 'stimulus_duration'
                    end
                ],
                lambda reason: reason is not null
            )
        end as reasons
    from _protocol as p
)
select
    j.specimen_id,
    j.sweep_number,
    case
        when j.clamp_mode = 'voltage_clamp' then null
        when len(j.reasons) = 0 then 'Pass'
        else 'Fail'
    end as state,
    case when j.clamp_mode = 'voltage_clamp' then [] else j.reasons end as reasons
from _judged as j
