-- one time bin of one unit during one stimulus presentation with the spikes in it; zeros too
-- spec: ecephys EC-7, OD-14, OD-15
-- sdk: EcephysSession.presentationwise_spike_counts
-- macro: ecephys.presentationwise_spike_counts(presentations, units, bin_edges, binarize := false, corrected := false)
--   presentations   relation (session_id, stimulus_presentation_id, start_time)
--   units           relation (session_id, unit_id)
--   bin_edges       list of bin edges from the onset, ascending (s)
--   binarize        true: 1 for any spike, else 0
--   corrected       false: bins include both edges, so that a spike on an inner edge counts twice, as in the reference
--                   (OD-14); true: bins are [edge, next edge)
--   session_id      session
--   stimulus_presentation_id   presentation
--   unit_id         unit
--   bin_index       bin, from 0
--   time_relative_to_stimulus_onset   centre of the bin (s)
--   spike_count     spikes in the bin
with _edges as (
    select
        case when list_sort(bin_edges) = bin_edges then bin_edges::double[]
            else error('presentationwise_spike_counts: bin_edges must ascend') end as edges
),
_bins as (
    select
        ordinal - 1 as bin_index,
        edges[ordinal] as bin_start,
        edges[ordinal + 1] as bin_stop
    from (select edges, unnest(range(1, len(edges))) as ordinal from _edges)
),
_windows as (
    select
        presentations.session_id,
        {
            'id': presentations.stimulus_presentation_id,
            'bin_index': b.bin_index,
            'centre': b.bin_start + (b.bin_stop - b.bin_start) / 2
        } as window_id,
        presentations.start_time::double + b.bin_start as start_time,
        case when corrected then presentations.start_time::double + b.bin_stop
            else nextafter(presentations.start_time::double + b.bin_stop, 'infinity'::double) end as stop_time
    from query_table(presentations) as presentations
    cross join _bins as b
)
select
    n.session_id,
    n.window_id.id as stimulus_presentation_id,
    n.unit_id,
    n.window_id.bin_index as bin_index,
    n.window_id.centre as time_relative_to_stimulus_onset,
    case when binarize then (n.spike_count > 0)::int else n.spike_count end as spike_count
from ecephys.spike_counts(units, '_windows') as n
