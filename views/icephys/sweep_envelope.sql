-- one bin of samples of a sweep: its extremes, to draw the sweep at any zoom
-- spec: cell_types 3.2, 5, CT-201
-- macro: icephys.sweep_envelope(specimen, sweep, t0 := 0, t1 := null, max_bins := 4000)
-- The finest stored zoom level that needs no more bins is taken; icephys.sweep_window serves spans shorter than those.
--   specimen         cell
--   sweep            number of the sweep
--   t0               start of the span, from the start of the sweep (s)
--   t1               end of the span; NULL for the end of the sweep (s)
--   max_bins         bins that the span may have; the coarsest level is taken where all have more
--   bin_index        bin, from the start of the sweep
--   bin_samples      samples a bin
--   start_time       first sample of the bin, from the start of the sweep (s)
--   stop_time        first sample behind the bin (s)
--   stimulus_min     smallest stimulus (A in current clamp, else V)
--   stimulus_max     greatest stimulus (A in current clamp, else V)
--   response_min     smallest response (V in current clamp, else A)
--   response_max     greatest response (V in current clamp, else A)
--   response_mean    mean response (V in current clamp, else A)
with _spans as (
    select
        e.*,
        s.sampling_rate,
        s.n_samples,
        greatest(floor(t0::double * s.sampling_rate / e.bin_samples), 0)::bigint as first_bin,
        ceil(least(coalesce(t1::double * s.sampling_rate, s.n_samples), s.n_samples) / e.bin_samples)::bigint as end_bin
    from icephys.sweep_envelopes as e
    join icephys.nwb_sweeps as s on s.specimen_id = e.specimen_id and s.sweep_number = e.sweep_number
    where e.specimen_id = specimen::bigint
        and e.sweep_number = sweep::bigint
        and lake.require_sweep(specimen, sweep)
),
_level as (
    select v.*, v.end_bin - v.first_bin > max_bins::bigint as is_too_fine
    from _spans as v
    order by is_too_fine, case when is_too_fine then -v.bin_samples else v.bin_samples end
    limit 1
),
_bins as (
    select
        v.bin_samples,
        v.sampling_rate,
        v.n_samples,
        unnest(range(v.first_bin, v.end_bin)) as bin_index,
        unnest(v.stimulus_min[v.first_bin + 1 : v.end_bin]) as stimulus_min,
        unnest(v.stimulus_max[v.first_bin + 1 : v.end_bin]) as stimulus_max,
        unnest(v.response_min[v.first_bin + 1 : v.end_bin]) as response_min,
        unnest(v.response_max[v.first_bin + 1 : v.end_bin]) as response_max,
        unnest(v.response_mean[v.first_bin + 1 : v.end_bin]) as response_mean
    from _level as v
    where v.end_bin > v.first_bin
)
select
    bin_index,
    bin_samples,
    bin_index * bin_samples / sampling_rate as start_time,
    least((bin_index + 1) * bin_samples, n_samples) / sampling_rate as stop_time,
    stimulus_min,
    stimulus_max,
    response_min,
    response_max,
    response_mean
from _bins
