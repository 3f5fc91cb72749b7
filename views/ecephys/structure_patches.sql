-- one run of channels of a probe whose published structures are wrong, with the right structure
-- spec: ecephys 2.3
-- kept: a few rows, which every question about channels joins
--   probe_id             probe to be corrected; its channels outside of every run are out of the brain
--   first_local_index    first channel of the run, from the tip
--   last_local_index     last channel of the run
--   structure_acronym    acronym of the right structure
--   structure_id         its CCF id
-- Eight probes of the release are known; what the lake has of corrections goes before.
with known as (
    select
        r.probe_id::bigint as probe_id,
        r.first_local_index::bigint as first_local_index,
        r.last_local_index::bigint as last_local_index,
        r.structure_acronym,
        r.structure_id::bigint as structure_id
    from (
        values
            (733744647, 0, 225, 'grey', 8),
            (733744647, 226, 296, 'VISpm', 533),
            (733744649, 0, 239, 'grey', 8),
            (733744649, 240, 319, 'VISp', 385),
            (733744651, 0, 259, 'grey', 8),
            (733744651, 260, 335, 'VISl', 409),
            (733744653, 0, 257, 'grey', 8),
            (733744653, 258, 321, 'VISal', 402),
            (733744655, 0, 245, 'grey', 8),
            (733744655, 246, 301, 'VISrl', 417),
            (805579698, 0, 71, 'CA1', 382),
            (805579698, 72, 154, 'VISam', 394),
            (832129149, 0, 33, 'CA1', 382),
            (832129149, 34, 115, 'VISam', 394),
            (837761710, 0, 38, 'SCiw', 17),
            (837761710, 39, 94, 'SCig', 10),
            (837761710, 95, 106, 'SCop', 851),
            (837761710, 107, 127, 'SCsg', 842),
            (837761710, 128, 139, 'SCzo', 834),
            (837761710, 140, 179, 'grey', 8),
            (837761710, 180, 284, 'VISp', 385)
    ) as r (probe_id, first_local_index, last_local_index, structure_acronym, structure_id)
),
-- channels of one structure in a row differ from their number in it by the same
corrected as (
    select
        c.probe_id,
        c.local_index,
        c.structure_acronym,
        c.structure_id,
        c.local_index - row_number() over (
            partition by c.probe_id, c.structure_acronym, c.structure_id order by c.local_index
        ) as run
    from ecephys.corrected_structures as c
),
-- a probe that is out of the brain as a whole has a run without a structure
runs as (
    select
        r.probe_id,
        min(r.local_index) as first_local_index,
        max(r.local_index) as last_local_index,
        r.structure_acronym,
        r.structure_id
    from corrected as r
    group by r.probe_id, r.structure_acronym, r.structure_id, r.run
)
select
    r.probe_id,
    r.first_local_index,
    r.last_local_index,
    r.structure_acronym,
    r.structure_id
from runs as r
union all
select
    k.probe_id,
    k.first_local_index,
    k.last_local_index,
    k.structure_acronym,
    k.structure_id
from known as k
where k.probe_id not in (select c.probe_id from ecephys.corrected_structures as c)
