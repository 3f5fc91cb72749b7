-- one experiment of the Brain Observatory: a container imaged in one session
-- spec: api C-BO1, C-BO2, C-BO3
-- sdk: BrainObservatoryApi.get_ophys_experiments, BrainObservatoryApi.simplify_ophys_experiments, BrainObservatoryApi.find_experiment_acquisition_age
--   ophys_experiment_id       experiment
--   experiment_container_id   container
--   imaging_depth_um          depth below the pia (um)
--   targeted_structure        acronym of the structure that was imaged
--   cre_line                  first driver line of the animal with Cre in its name
--   reporter_line             first reporter line of the animal
--   transgenic_lines          names of all lines of the animal
--   acquisition_age_days      whole days from the animal's birth to the recording; NULL where either is not told
--   session_type              three_session_A, _B, _C or _C2
--   stimuli                   stimuli of such sessions
--   donor_name                name of the animal, as others call it
--   specimen_name             name of the specimen
--   fail_eye_tracking         no eye tracking is published for its session: by the files the lake knows, else as it is told
--   is_failed                 it failed the control of quality
--   container_is_failed       its container did
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
    e.id as ophys_experiment_id,
    e.experiment_container_id,
    coalesce(e.imaging_depth, c.imaging_depth_um) as imaging_depth_um,
    c.targeted_structure,
    c.cre_line,
    c.reporter_line,
    coalesce(c.transgenic_lines, []) as transgenic_lines,
    floor(epoch(e.date_of_acquisition - a.date_of_birth) / 86400)::integer as acquisition_age_days,
    e.stimulus_name as session_type,
    coalesce(s.stimuli, []) as stimuli,
    c.donor_name,
    c.specimen_name,
    case
        when len(t.session_ids) > 0 then not coalesce(list_contains(t.session_ids, e.ophys_session_id), false)
        else e.fail_eye_tracking
    end as fail_eye_tracking,
    coalesce(e.failed, false) as is_failed,
    coalesce(c.is_failed, false) as container_is_failed
from rma.ophys_experiments as e
left join ophys.containers as c on c.experiment_container_id = e.experiment_container_id
left join ophys.imaged_animals as a on a.specimen_id = c.specimen_id
left join shown as s on s.session_type = e.stimulus_name
cross join tracked as t
