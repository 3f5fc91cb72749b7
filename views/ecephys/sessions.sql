-- one recording session, whichever source tells of it
-- spec: ecephys 3, EC-2
-- sdk: EcephysProjectCache.get_session_table, EcephysProjectCache.get_sessions, EcephysSession.metadata
--   session_id              session; Allen id, or made from the recording's identifier
--   session_type            stimulus programme: brain_observatory_1.1 or functional_connectivity
--   specimen_id             animal, as the project numbers it
--   specimen_name           name of the animal
--   subject_id              the laboratory's id of the animal or person
--   mouse_id                the laboratory's number of the mouse
--   age_in_days             age when recorded (d)
--   sex                     M or F
--   full_genotype           genotype
--   strain                  strain
--   species                 species
--   session_start_time_utc  wall clock at time 0 as its file tells; the Allen release's tell when they were made (UTC)
--   run_start_time_utc      when its experiment began on the rig (UTC)
--   run_stop_time_utc       when that was complete (UTC)
--   date_of_acquisition_utc  when the session entered the warehouse (UTC)
--   published_at_utc        when it was released (UTC)
--   institution             where it was recorded
--   lab                     laboratory
--   rig_equipment_name      rig it was recorded on
--   operator                who ran it
--   session_description     description in the session's file
--   isi_experiment_id       intrinsic imaging experiment of the animal
--   source_session_id       identifier the recording's laboratory gave it
--   source_layout           layout of the session's file
--   has_nwb                 the project offers a session file
--   in_nwb                  the session's file is in the lake
--   in_project              the project's session table tells of it
--   in_annotated            a merged unit table tells of it
--   in_runs                 the log of runs on rigs tells of it
with annotated as (
    select
        a.session_id,
        any_value(a.session_type) as session_type,
        any_value(a.specimen_id) as specimen_id,
        any_value(a.age_in_days) as age_in_days,
        any_value(a.sex) as sex,
        any_value(a.full_genotype) as full_genotype
    from ecephys.annotated_units as a
    group by a.session_id
)
select
    coalesce(n.session_id, p.session_id, a.session_id, r.session_id) as session_id,
    coalesce(n.session_type, p.session_type, a.session_type) as session_type,
    coalesce(p.specimen_id, a.specimen_id) as specimen_id,
    coalesce(n.specimen_name, p.specimen_name) as specimen_name,
    n.subject_id,
    r.mouse_id,
    coalesce(n.age_in_days, p.age_in_days, a.age_in_days) as age_in_days,
    coalesce(n.sex, p.sex, a.sex) as sex,
    coalesce(n.full_genotype, p.full_genotype, a.full_genotype) as full_genotype,
    n.strain,
    n.species,
    n.session_start_time_utc,
    r.run_start_time_utc,
    r.run_stop_time_utc,
    p.date_of_acquisition_utc,
    p.published_at_utc,
    n.institution,
    n.lab,
    coalesce(n.rig_equipment_name, r.rig_equipment_name) as rig_equipment_name,
    r.operator,
    n.session_description,
    p.isi_experiment_id,
    n.source_session_id,
    n.source_layout,
    p.has_nwb,
    n.session_id is not null as in_nwb,
    p.session_id is not null as in_project,
    a.session_id is not null as in_annotated,
    r.session_id is not null as in_runs
from ecephys.nwb_sessions as n
full join ecephys.project_sessions as p on p.session_id = n.session_id
full join annotated as a on a.session_id = coalesce(n.session_id, p.session_id)
full join ecephys.session_runs as r on r.session_id = coalesce(n.session_id, p.session_id, a.session_id)
