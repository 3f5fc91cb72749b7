-- one recorded current-clamp sweep with the window in which spikes are looked for, and how
-- spec: cell_types 4.5.1, 4.5.2, SF-13
-- partition: specimen_id
-- Short squares are detected with options adjusted to all sweeps of their kind, others with the defaults.
--   specimen_id            cell
--   sweep_number           sweep
--   stimulus_class         long_square, short_square or ramp; NULL for others
--   window_start           start of the stimulus of long squares and ramps, else of the experiment (s)
--   window_stop            end of the stimulus of long squares, else of the experiment (s)
--   adjusted_dv_cutoff     slope at which spikes are looked for, where not the default (V/s)
--   adjusted_thresh_frac   share of the upstroke that is the threshold, where not the default (1)
with _sweeps as materialized (
    select
        s.specimen_id,
        s.sweep_number,
        s.sampling_rate,
        c.stimulus_class,
        coalesce(c.window_start, s.start_index * (1.0::double / s.sampling_rate)) as window_start,
        coalesce(c.window_stop, s.stop_index * (1.0::double / s.sampling_rate)) as window_stop,
        case
            when s.stimulus_name in (
                'Short Square - Triple', 'Short Square', 'Short Square - Hold -60mv', 'Short Square - Hold -70mv',
                'Short Square - Hold -80mv'
            ) then s.stimulus_name
        end as detection_group,
        case when s.stimulus_name = 'Short Square - Triple' then 2.02::double else 1.02::double end as detection_start
    from icephys.recorded_sweeps as s
    left join icephys.cell_sweeps() as c
        on c.specimen_id = s.specimen_id
        and c.sweep_number = s.sweep_number
    where s.clamp_mode in ('current_clamp', 'izero')
),
_short as not materialized (
    select
        s.specimen_id,
        s.detection_group,
        s.detection_start,
        s.detection_start + 0.001::double as detection_stop,
        s.sampling_rate,
        t.packed_response as response
    from _sweeps as s
    join icephys.packed_traces as t
        on t.specimen_id = s.specimen_id
        and t.sweep_number = s.sweep_number
    where s.detection_group is not null
),
_adjusted as (
    select a.specimen_id, a.detection_group, a.adjusted_dv_cutoff, a.adjusted_thresh_frac
    from icephys.adjusted_detection('_short') as a
)
select
    s.specimen_id,
    s.sweep_number,
    s.stimulus_class,
    s.sampling_rate,
    s.window_start,
    s.window_stop,
    a.adjusted_dv_cutoff,
    case when a.adjusted_thresh_frac is not null then greatest(0.1::double, a.adjusted_thresh_frac) end
        as adjusted_thresh_frac
from _sweeps as s
left join _adjusted as a
    on a.specimen_id = s.specimen_id
    and a.detection_group = s.detection_group
