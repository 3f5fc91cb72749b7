-- one experiment that all given filters let through
-- spec: connectivity EXP-02, EXP-03, CON-040, CON-070, SRCH-01, Q1, Q2
-- sdk: MouseConnectivityCache.get_experiments, MouseConnectivityCache.filter_experiments, MouseConnectivityApi.get_experiments, MouseConnectivityApi.experiment_source_search
-- macro: connectivity.find_experiments(injection := null, cre := null, reached := false, products := null, genders := null, ages := null, states := null, in_workflows := null, projects := null)
--   injection                        id or acronym, or a list of them: experiments injected there, or in what is part of it; NULL: anywhere
--   cre                              true: a transgenic line; false: a wild type; a name or list of names, in any case; NULL: all
--   reached                          true: the injection may have reached the structure, false: it is the chief one
--   products                         one or a list of product ids; NULL: all
--   genders                          F, M, or a list of them; male and female say the same; NULL: all
--   ages                             age or list of ages, in any case; NULL: all
--   states                           state of the workflow, or a list of them; NULL: all
--   in_workflows                     workflow or list of them, any of which counts; NULL: all
--   projects                         project or list of them; NULL: all
--   experiment_id                    experiment: the section data set's id
--   product_id                       product
--   specimen_name                    name of the animal
--   gender                           F or M
--   strain                           strain
--   age                              age of the animal
--   transgenic_line                  transgenic line; NULL for a wild type
--   structure_id                     structure that was chiefly injected
--   structure_acronym                acronym of that structure
--   structure_name                   name of that structure
--   injection_structure_ids          structures that the injection reached
--   primary_injection_structure_id   the first of those
--   injection_volume_mm3             volume that was injected (mm3)
--   ap_um                            centre of the injection along ap (um)
--   dv_um                            centre of the injection along dv (um)
--   ml_um                            centre of the injection along ml (um)
with _injected as (
    select distinct c.descendant_id
    from ccf.find_structures(injection) as f
    join ccf.structure_closure as c on c.ancestor_id = f.structure_id
),
_there as (
    select e.experiment_id
    from connectivity.experiments as e
    join _injected as i on i.descendant_id = e.structure_id
    union
    select r.experiment_id
    from connectivity.experiment_injection_structures as r
    join _injected as i on i.descendant_id = r.structure_id
    where reached
)
select
    e.experiment_id,
    e.product_id,
    e.specimen_name,
    e.gender,
    e.strain,
    e.age,
    e.transgenic_line,
    e.structure_id,
    e.structure_acronym,
    e.structure_name,
    e.injection_structure_ids,
    e.primary_injection_structure_id,
    e.injection_volume_mm3,
    e.ap_um,
    e.dv_um,
    e.ml_um
from connectivity.experiments as e
where (injection is null or e.experiment_id in (select t.experiment_id from _there as t))
    and case
        when cre is null then true
        when to_json(cre) = 'true'::json then e.transgenic_line is not null
        when to_json(cre) = 'false'::json then e.transgenic_line is null
        else list_contains(list_transform(lake.text_list(cre), lambda x: lower(x)), lower(e.transgenic_line))
    end
    and (products is null or list_contains(lake.id_list(products), e.product_id))
    and (
        genders is null
        or list_contains(list_transform(lake.text_list(genders), lambda x: upper(x[1])), upper(e.gender[1]))
    )
    and (ages is null or list_contains(list_transform(lake.text_list(ages), lambda x: lower(x)), lower(e.age)))
    and (
        states is null
        or list_contains(list_transform(lake.text_list(states), lambda x: lower(x)), lower(e.workflow_state))
    )
    and (
        in_workflows is null
        or list_has_any(
            list_transform(lake.text_list(in_workflows), lambda x: lower(x)),
            list_transform(e.workflows, lambda x: lower(x))
        )
    )
    and (
        projects is null
        or list_contains(list_transform(lake.text_list(projects), lambda x: lower(x)), lower(e.project_code))
    )
