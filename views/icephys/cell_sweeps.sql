-- one long square, short square or ramp of one cell, with the window in which its spikes are looked for
-- spec: cell_types 4.5.1, 4.5.3, 4.5.4
-- sdk: cell_extractor_for_nwb, reset_long_squares_start, filter_sweeps, filtered_sweep_numbers
-- macro: icephys.cell_sweeps(by_code := false, long_square_start := null)
-- Released recordings hold passed sweeps only, so every recorded one counts.
--   by_code                    tell classes by acquisition code, as the laboratory does (C1LSCOARSE and C1LSFINEST,
--                              C1SSFINEST, C1RP25PR1S), instead of by the stimulus's name (Long Square, Short Square,
--                              Ramp); only the name counts the coarse short squares too
--   long_square_start          start of long squares; by default where the cell's first one begins, 1.02 if that
--                              cannot be told (s)
--   specimen_id                cell
--   sweep_number               sweep
--   sampling_rate              samples a second (Hz)
--   stimulus_class             long_square, short_square or ramp
--   detection_group            sweeps whose detection is adjusted together; NULL where it is not adjusted
--   detection_start            start of the stimulus whose charging is to be told from spikes (s)
--   detection_stop             its end (s)
--   window_start               start of the window: of the stimulus, for short squares of the experiment (s)
--   window_stop                its end: of a long square the stimulus's, 1 s later, else the experiment's (s)
--   subthreshold_min_amp_pa    membrane properties come from amplitudes above it: -200 where the coarse long squares
--                              are not 20 pA apart, which tells a human cell, else -100 (pA)
with _named as (
    select
        s.specimen_id,
        s.sweep_number,
        s.sampling_rate,
        s.start_index,
        s.stop_index,
        s.stimulus_amplitude_pa,
        starts_with(s.code, 'C1LSCOARSE') as is_coarse,
        case
            when by_code then
                case
                    when starts_with(s.code, 'C1LSCOARSE') then 'long_square'
                    when starts_with(s.code, 'C1LSFINEST') then 'long_square'
                    when starts_with(s.code, 'C1SSFINEST') then 'short_square'
                    when starts_with(s.code, 'C1RP25PR1S') then 'ramp'
                end
            when s.stimulus_name = 'Long Square' then 'long_square'
            when s.stimulus_name = 'Short Square' then 'short_square'
            when s.stimulus_name = 'Ramp' then 'ramp'
        end as stimulus_class,
        s.is_recorded and coalesce(s.clamp_mode, 'current_clamp') = 'current_clamp' as is_usable
    from (select x.*, coalesce(x.stimulus_code, x.stimulus_description) as code from icephys.sweeps as x) as s
),
_steps as (
    select
        n.specimen_id,
        smallest_amplitude_step(list(n.stimulus_amplitude_pa order by n.stimulus_amplitude_pa)) as coarse_step
    from _named as n
    where n.is_coarse and n.stimulus_amplitude_pa is not null
    group by n.specimen_id
),
_first as (
    select n.specimen_id, min(n.sweep_number) as sweep_number, arg_min(n.sampling_rate, n.sweep_number) as rate
    from _named as n
    where n.is_usable and n.stimulus_class = 'long_square'
    group by n.specimen_id
),
_starts as (
    select f.specimen_id, nullif(greatest(stimulus_start_time(t.packed_stimulus, f.rate), 0), 0) as start_time
    from _first as f
    join icephys.packed_traces as t
        on t.specimen_id = f.specimen_id
        and t.sweep_number = f.sweep_number
)
select
    n.specimen_id,
    n.sweep_number,
    n.sampling_rate,
    n.stimulus_class,
    case when n.stimulus_class = 'short_square' then 'short_square' end as detection_group,
    case when n.stimulus_class = 'short_square' then 1.02::double end as detection_start,
    case when n.stimulus_class = 'short_square' then 1.021::double end as detection_stop,
    case
        when n.stimulus_class = 'long_square' then coalesce(long_square_start::double, s.start_time, 1.02::double)
        when n.stimulus_class = 'short_square' then n.start_index * (1.0::double / n.sampling_rate)
        else 1.02::double
    end as window_start,
    case
        when n.stimulus_class = 'long_square'
            then coalesce(long_square_start::double, s.start_time, 1.02::double) + 1.0::double
        else n.stop_index * (1.0::double / n.sampling_rate)
    end as window_stop,
    case when c.coarse_step <> 20 then -200.0::double else -100.0::double end as subthreshold_min_amp_pa
from _named as n
left join _steps as c on c.specimen_id = n.specimen_id
left join _starts as s on s.specimen_id = n.specimen_id
where n.is_usable and n.stimulus_class is not null
