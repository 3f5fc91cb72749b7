-- one group of sweeps of one cell with short stimuli, with the options that tell their spikes from their charging
-- spec: cell_types SF-13, CT-098
-- sdk: estimate_adjusted_detection_parameters
-- macro: icephys.adjusted_detection(sweeps, filter_khz := 10.0)
--   sweeps                 relation (specimen_id, detection_group, detection_start, detection_stop, response, sampling_rate) in s, V and
--                               Hz; sweeps without a group do not count
--   filter_khz             corner of the low-pass filter before dV/dt; NULL for none (kHz)
--   specimen_id            cell
--   detection_group        name of the group, as given
--   adjusted_dv_cutoff     1.1 times the median slope of the charging (V/s)
--   adjusted_thresh_frac   1.2 times the median slope at the stimulus's end over the mean upstroke; NULL without a spike (1)
with _charging as (
    select
        s.specimen_id,
        s.detection_group,
        dvdt_of_stimulus(
            s.response, s.sampling_rate, s.detection_start, s.detection_stop, filter_khz::double
        ) as during
    from query_table(sweeps) as s
    where s.detection_group is not null
),
_cutoffs as (
    select
        c.specimen_id,
        c.detection_group,
        1.1::double * median(c.during.highest) as adjusted_dv_cutoff,
        1.2::double * median(c.during.at_end) as least_threshold
    from _charging as c
    group by c.specimen_id, c.detection_group
),
_upstrokes as (
    select
        s.specimen_id,
        s.detection_group,
        c.adjusted_dv_cutoff,
        c.least_threshold,
        upstrokes_past_cutoff(s.response, s.sampling_rate, filter_khz::double, c.adjusted_dv_cutoff) as upstrokes
    from query_table(sweeps) as s
    join _cutoffs as c
        on c.specimen_id = s.specimen_id
        and c.detection_group = s.detection_group
    where s.detection_group is not null
)
select
    u.specimen_id,
    u.detection_group,
    any_value(u.adjusted_dv_cutoff) as adjusted_dv_cutoff,
    any_value(u.least_threshold)
        / nullif(sum(list_sum(u.upstrokes)) / nullif(sum(len(u.upstrokes))::double, 0), 0) as adjusted_thresh_frac
from _upstrokes as u
group by u.specimen_id, u.detection_group
