-- one experiment of the Brain Observatory: a container imaged in one session
-- spec: api C-BO1, C-BO2, C-BO3, ophys C-02
-- sdk: BrainObservatoryApi.get_ophys_experiments, BrainObservatoryApi.simplify_ophys_experiments, BrainObservatoryApi.find_experiment_acquisition_age
-- Each value is as records of the API tell it, else as a list that the reference gave.
--   ophys_experiment_id       experiment
--   experiment_container_id   container
--   imaging_depth_um          depth below the pia (um)
--   targeted_structure        acronym of the structure that was imaged
--   cre_line                  first driver line of the animal with Cre in its name
--   reporter_line             first reporter line of the animal
--   transgenic_lines          names of all lines of the animal; of a list only those two
--   acquisition_age_days      whole days from the animal's birth to the recording; NULL where either is not told
--   session_type              three_session_A, _B, _C or _C2
--   stimuli                   stimuli of such sessions
--   donor_name                name of the animal, as others call it
--   specimen_name             name of the specimen
--   fail_eye_tracking         no eye tracking is published for its session: by the files the lake knows, else as a list tells it, which
--                             went by them, else as the API's record does
--   is_failed                 it failed the control of quality
--   container_is_failed       its container did
--   source                    where the row comes from: api, or list where no record of the API is in the lake
with shown as (
    select s.session_type, list(s.stimulus_name order by s.stimulus_name) as stimuli
    from ophys.session_type_stimuli as s
    group by s.session_type
),
tracked as (
    select list(f.attachable_id) as session_ids
    from rma.well_known_files as f
    join rma.well_known_file_types as t on t.id = f.well_known_file_type_id
    where t.name = 'EyeDlcScreenMapping'
        and f.attachable_type = 'OphysSession'
)
select
    coalesce(e.id, l.ophys_experiment_id) as ophys_experiment_id,
    coalesce(e.experiment_container_id, l.experiment_container_id) as experiment_container_id,
    coalesce(e.imaging_depth, l.imaging_depth_um, c.imaging_depth_um) as imaging_depth_um,
    coalesce(c.targeted_structure, l.targeted_structure) as targeted_structure,
    coalesce(c.cre_line, l.cre_line) as cre_line,
    coalesce(c.reporter_line, l.reporter_line) as reporter_line,
    coalesce(
        nullif(c.transgenic_lines, []),
        list_filter([l.cre_line, l.reporter_line], lambda x: x is not null)
    ) as transgenic_lines,
    coalesce(
        floor(epoch(e.date_of_acquisition - a.date_of_birth) / 86400)::integer, l.acquisition_age_days
    ) as acquisition_age_days,
    coalesce(e.stimulus_name, l.session_type) as session_type,
    coalesce(s.stimuli, []) as stimuli,
    coalesce(c.donor_name, l.donor_name) as donor_name,
    coalesce(c.specimen_name, l.specimen_name) as specimen_name,
    case
        when len(t.session_ids) > 0 and e.id is not null
            then not coalesce(list_contains(t.session_ids, e.ophys_session_id), false)
        else coalesce(l.fail_eye_tracking, e.fail_eye_tracking)
    end as fail_eye_tracking,
    coalesce(e.failed, false) as is_failed,
    coalesce(c.is_failed, false) as container_is_failed,
    case when e.id is not null then 'api' else 'list' end as source
from rma.ophys_experiments as e
full join ophys.listed_experiments as l on l.ophys_experiment_id = e.id
left join ophys.containers as c
    on c.experiment_container_id = coalesce(e.experiment_container_id, l.experiment_container_id)
left join ophys.imaged_animals as a on a.specimen_id = c.specimen_id
left join shown as s on s.session_type = coalesce(e.stimulus_name, l.session_type)
cross join tracked as t
