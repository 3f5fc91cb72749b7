-- one sample of the LFP of one channel within a window of time; once for every window it falls in
-- spec: ecephys EC-5
-- sdk: EcephysSession.get_lfp
-- macro: ecephys.lfp_window(channels, windows, masked := true)
--   channels     relation (session_id, probe_id, channel_id), as ecephys.lfp_channels
--   windows      relation (session_id, window_id, start_time, stop_time), half-open [start_time, stop_time)
--   masked       true: NULL in intervals in which the probe's data are not to be trusted; false: as recorded
--   session_id   session
--   window_id    window, as given
--   probe_id     probe
--   channel_id   channel
--   timestamp    time on the session's master clock (s)
--   lfp          local field potential (V)
with _channels as (
    select distinct channels.session_id, channels.probe_id, channels.channel_id
    from query_table(channels) as channels
),
_windows as (
    select
        windows.session_id,
        windows.window_id,
        windows.start_time::double as window_start,
        windows.stop_time::double as window_stop
    from query_table(windows) as windows
),
_probes as (
    select distinct session_id, probe_id
    from _channels
),
_chunks as (
    select distinct c.session_id, c.probe_id, c.chunk, w.window_id, w.window_start, w.window_stop
    from ecephys.lfp_chunks as c
    join _probes as p on p.session_id = c.session_id and p.probe_id = c.probe_id
    join _windows as w
        on w.session_id = c.session_id
        and w.window_start <= c.stop_time
        and w.window_stop > c.start_time
),
_distrusted as (
    select
        session_id,
        probe_id,
        list({'start_time': start_time, 'stop_time': stop_time}) as intervals
    from ecephys.lfp_invalid_times
    group by session_id, probe_id
),
_slices as (
    select
        k.session_id,
        k.probe_id,
        k.chunk,
        k.window_id,
        t.timestamps,
        -- closed at the last float before the stop: [start_time, stop_time)
        samples_within(
            t.timestamps, [k.window_start], [nextafter(k.window_stop, '-infinity'::double)]
        ) as bounds,
        d.intervals
    from _chunks as k
    join ecephys.lfp_times as t
        on t.session_id = k.session_id and t.probe_id = k.probe_id and t.chunk = k.chunk
    left join _distrusted as d on d.session_id = k.session_id and d.probe_id = k.probe_id
),
_samples as (
    select
        c.session_id,
        s.window_id,
        c.probe_id,
        c.channel_id,
        c.scale,
        s.intervals,
        unnest(s.timestamps[s.bounds[1] + 1 : s.bounds[2]]) as timestamp,
        unnest(c.counts[s.bounds[1] + 1 : s.bounds[2]]) as count_value,
        unnest(c.samples[s.bounds[1] + 1 : s.bounds[2]]) as sample_value
    from ecephys.lfp_chunks as c
    join _channels as u
        on u.session_id = c.session_id and u.probe_id = c.probe_id and u.channel_id = c.channel_id
    join _slices as s
        on s.session_id = c.session_id and s.probe_id = c.probe_id and s.chunk = c.chunk
    where len(s.bounds) > 0
)
select
    session_id,
    window_id,
    probe_id,
    channel_id,
    timestamp,
    case
        when masked and intervals is not null and len(list_filter(
            intervals, lambda i: timestamp >= i.start_time and timestamp <= i.stop_time)) > 0 then null
        else coalesce((count_value * scale)::float, sample_value)
    end as lfp
from _samples
