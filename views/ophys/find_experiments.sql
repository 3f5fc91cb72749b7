-- one experiment of the Brain Observatory that all given filters let through
-- spec: api C-BO2, D-18
-- sdk: BrainObservatoryCache.get_ophys_experiments, BrainObservatoryApi.filter_ophys_experiments
-- macro: ophys.find_experiments(ids := null, containers := null, structures := null, depths_um := null, cre_lines := null, reporter_lines := null, lines := null, session_types := null, shown := null, need_eye_tracking := false, include_failed := false)
--   ids                 experiment or a list of them
--   containers          one or a list of containers
--   structures          one or a list of acronyms
--   depths_um           one or a list of depths (um)
--   cre_lines           one or a list of names, in any case
--   reporter_lines      one or a list of names, in any case
--   lines               one or a list of names of which the animal has one, in any case
--   session_types       one or a list of types of session
--   shown               one or a list of stimuli of which the session showed one
--   need_eye_tracking   true: only where eye tracking is known not to fail
--   include_failed      true: also those that failed the control of quality, or whose container did
select
    e.ophys_experiment_id,
    e.imaging_depth_um,
    e.targeted_structure,
    e.cre_line,
    e.reporter_line,
    e.acquisition_age_days,
    e.experiment_container_id,
    e.session_type,
    e.donor_name,
    e.specimen_name,
    e.fail_eye_tracking
from ophys.experiments as e
where (include_failed or not (e.is_failed or e.container_is_failed))
    and (not need_eye_tracking or e.fail_eye_tracking is false)
    and (ids is null or list_contains(lake.id_list(ids), e.ophys_experiment_id))
    and (containers is null or list_contains(lake.id_list(containers), e.experiment_container_id))
    and (structures is null or list_contains(lake.text_list(structures), e.targeted_structure))
    and (depths_um is null or list_contains(lake.id_list(depths_um), e.imaging_depth_um))
    and (cre_lines is null or list_contains(list_transform(lake.text_list(cre_lines), lambda x: lower(x)), lower(e.cre_line)))
    and (
        reporter_lines is null
        or list_contains(list_transform(lake.text_list(reporter_lines), lambda x: lower(x)), lower(e.reporter_line))
    )
    and (
        lines is null
        or list_has_any(
            list_transform(e.transgenic_lines, lambda x: lower(x)), list_transform(lake.text_list(lines), lambda x: lower(x))
        )
    )
    and (session_types is null or list_contains(lake.text_list(session_types), e.session_type))
    and (shown is null or list_has_any(e.stimuli, lake.text_list(shown)))
order by e.ophys_experiment_id
