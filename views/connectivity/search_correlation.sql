-- one experiment whose grid resembles that of another within given structures, the most alike first
-- spec: connectivity SRCH-05, CON-024, Q9, P13
-- sdk: MouseConnectivityApi.experiment_correlation_search
-- macro: connectivity.search_correlation(experiment, wanted := ['root'], hemisphere := 3, of_measure := 'projection_density', at_grid_um := 100, injection := null, lines := null, start_row := 0, num_rows := 2000)
--   experiment          experiment that the others are compared with
--   wanted              id, acronym or name, or a list of them, of structures whose voxels count
--   hemisphere          1 left, 2 right, 3 both
--   of_measure          what was measured
--   at_grid_um          edge of a voxel (um)
--   injection           id or acronym of injected structures, or a list of them; NULL: anywhere
--   lines               one or a list of names of transgenic lines, 0 for wild types; NULL: all
--   start_row           so many are left out
--   num_rows            so many at most
--   experiment_id       experiment
--   structure_id        structure that was chiefly injected
--   structure_acronym   acronym of that structure
--   correlation         Pearson's r over the voxels, zeros included; NULL where one does not vary
--   n_voxels            voxels that were compared
with _below as (
    select distinct c.descendant_id
    from ccf.find_structures(wanted) as f
    join ccf.structure_closure as c on c.ancestor_id = f.structure_id
),
_domain as (
    select (a.ap_index::bigint * 65536 + a.dv_index) * 65536 + a.ml_index as voxel
    from connectivity.annotated_voxels(at_grid_um := at_grid_um) as a
    join _below as b on b.descendant_id = a.structure_id
    where hemisphere = 3 or a.hemisphere_id = hemisphere
),
_size as (
    select count(*)::double as n from _domain
),
_signals as (
    select x.experiment_id, d.voxel, x.voxel_value::double as y
    from connectivity.grid_voxels as x
    join _domain as d on d.voxel = (x.ap_index::bigint * 65536 + x.dv_index) * 65536 + x.ml_index
    where x.measure = of_measure
        and x.grid_um = at_grid_um::integer
),
_seed as (
    select s.voxel, s.y
    from _signals as s
    where s.experiment_id = connectivity.require_grid(experiment, of_measure, at_grid_um)
),
_seed_sums as (
    select coalesce(sum(s.y), 0) as sx, coalesce(sum(s.y * s.y), 0) as sxx from _seed as s
),
_sums as (
    select
        g.experiment_id,
        coalesce(sum(s.y), 0) as sy,
        coalesce(sum(s.y * s.y), 0) as syy,
        coalesce(sum(s.y * q.y), 0) as sxy
    from connectivity.grids as g
    left join _signals as s on s.experiment_id = g.experiment_id
    left join _seed as q on q.voxel = s.voxel
    where g.measure = of_measure
        and g.grid_um = at_grid_um::integer
    group by g.experiment_id
),
_variances as (
    select
        s.experiment_id,
        z.n,
        z.n * s.sxy - q.sx * s.sy as covariance,
        (z.n * q.sxx - q.sx * q.sx) * (z.n * s.syy - s.sy * s.sy) as variances
    from _sums as s
    cross join _seed_sums as q
    cross join _size as z
)
select
    v.experiment_id,
    e.structure_id,
    e.structure_acronym,
    case when v.variances > 0 then v.covariance / sqrt(v.variances) end as correlation,
    v.n::bigint as n_voxels
from _variances as v
left join connectivity.experiments as e on e.experiment_id = v.experiment_id
where v.experiment_id <> experiment::bigint
    and (
        injection is null
        or v.experiment_id in (select i.experiment_id from connectivity.find_experiments(injection := injection) as i)
    )
    and connectivity.line_matches(e.transgenic_line, lines)
order by correlation desc nulls last, v.experiment_id
limit num_rows offset start_row
