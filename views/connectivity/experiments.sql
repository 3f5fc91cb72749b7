-- one experiment: a brain with one injection of a tracer
-- spec: connectivity EXP-01, CON-020, CON-040, CON-070
-- sdk: MouseConnectivityCache.get_experiments, MouseConnectivityApi.get_experiments_api
--   experiment_id                    experiment: the section data set's id
--   product_id                       product: 5 and 31 are the reference's
--   specimen_name                    name of the animal
--   gender                           F or M
--   strain                           strain
--   age                              age of the animal
--   transgenic_line                  transgenic line; NULL for a wild type
--   transgenic_line_id               transgenic line
--   structure_id                     structure that was chiefly injected
--   structure_acronym                acronym of that structure
--   structure_name                   name of that structure
--   injection_structure_ids          structures that the injection reached, as listed, repeats kept
--   primary_injection_structure_id   the first of those, which the reference takes as the chief one, though it often is not
--   injection_volume_mm3             volume that was injected (mm3)
--   ap_um                            centre of the injection along ap (um)
--   dv_um                            centre of the injection along dv (um)
--   ml_um                            centre of the injection along ml (um)
--   project_code                     project it was made in
--   workflow_state                   how far it has come
--   workflows                        workflows that it belongs to
-- The service's list comes before tables of people's own, which complete it. Those say nothing of an injection's
-- structure where it is the whole brain, and nothing of what it reached where that is the chief structure alone.
with ranked as (
    select l.*, case l.listing when 'experiments' then 1 else 2 end as place
    from connectivity.listed_experiments as l
)
select
    r.experiment_id,
    arg_min(r.product_id, r.place) as product_id,
    arg_min(r.specimen_name, r.place) as specimen_name,
    arg_min(r.gender, r.place) as gender,
    arg_min(r.strain, r.place) as strain,
    arg_min(r.age, r.place) as age,
    arg_min(nullif(r.transgenic_line, ''), r.place) as transgenic_line,
    arg_min(r.transgenic_line_id, r.place) as transgenic_line_id,
    coalesce(arg_min(r.structure_id, r.place), 997) as structure_id,
    arg_min(r.structure_acronym, r.place) as structure_acronym,
    arg_min(r.structure_name, r.place) as structure_name,
    coalesce(
        arg_min(r.injection_structure_ids, r.place) filter (len(r.injection_structure_ids) > 0),
        [coalesce(arg_min(r.structure_id, r.place), 997)]
    ) as injection_structure_ids,
    coalesce(
        (arg_min(r.injection_structure_ids, r.place) filter (len(r.injection_structure_ids) > 0))[1],
        arg_min(r.structure_id, r.place),
        997
    ) as primary_injection_structure_id,
    arg_min(r.injection_volume_mm3, r.place) as injection_volume_mm3,
    arg_min(r.injection_ap_um, r.place) as ap_um,
    arg_min(r.injection_dv_um, r.place) as dv_um,
    arg_min(r.injection_ml_um, r.place) as ml_um,
    arg_min(r.project_code, r.place) as project_code,
    arg_min(r.workflow_state, r.place) as workflow_state,
    arg_min(r.workflows, r.place) filter (len(r.workflows) > 0) as workflows
from ranked as r
group by r.experiment_id
