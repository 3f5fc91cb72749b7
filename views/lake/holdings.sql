-- one part of a source: here, left in the source, known to exist, or failed
-- spec: ecephys 2.1, cell_types 5
-- sdk: EcephysProjectCache.get_session_data
--   subject       what the source is about, as ecephys.session/715093703
--   dataset       collection the source belongs to
--   role          in which capacity the source tells of the subject
--   part          separately wanted share of the source; NULL where no source could be read
--   state         present: rows are in the lake; available: the ingested source holds it but it was not taken;
--                 known: the project's tables say that a file exists; failed: the last ingest of the source failed
--   n_rows        rows in the lake
--   size_bytes    where present, bytes in the lake; where available, bytes in the source (byte)
--   ingest_id     the ingest that took or saw it
--   source_url    where it came from
--   error         why it failed
--   remedy        the command that brings it
with ingested as (
    select
        p.subject,
        i.dataset,
        p.role,
        p.part,
        p.state,
        p.n_rows,
        case p.state when 'present' then p.size_bytes else p.source_bytes end as size_bytes,
        p.ingest_id,
        i.source_url,
        null::varchar as error,
        case p.state
            when 'available' then 'brainlake ingest ' || lake.shell_word(i.source_url) || ' --with ' || p.part
        end as remedy
    from lake.parts as p
    join lake.ingests as i on i.ingest_id = p.ingest_id
),
sessions as (
    select
        'ecephys.session/' || s.session_id as subject,
        i.dataset,
        'session_nwb' as role,
        'session' as part,
        'brainlake ingest session_' || s.session_id || '.nwb' as remedy
    from ecephys.project_sessions as s
    left join lake.ingests as i on i.ingest_id = s.ingest_id
    where coalesce(s.has_nwb, true)
),
probes as (
    select
        'ecephys.probe/' || p.probe_id as subject,
        i.dataset,
        'probe_nwb' as role,
        'lfp' as part,
        'brainlake ingest probe_' || p.probe_id || '_lfp.nwb --with lfp' as remedy
    from ecephys.project_probes as p
    left join lake.ingests as i on i.ingest_id = p.ingest_id
    where p.has_lfp_data
),
recordings as (
    select
        'icephys.cell/' || f.specimen_id as subject,
        'Allen Cell Types Database' as dataset,
        'cell_nwb' as role,
        'sweeps' as part,
        'brainlake ingest ' || lake.shell_word(f.url) as remedy
    from icephys.cell_files as f
    where f.file_type = 'NWBDownload'
),
known as (
    select k.subject, k.dataset, k.role, k.part, k.remedy
    from (from sessions union all from probes union all from recordings) as k
    anti join ingested as g on g.subject = k.subject and g.role = k.role and g.part = k.part
)
select subject, dataset, role, part, state, n_rows, size_bytes, ingest_id, source_url, error, remedy
from ingested
union all
select subject, dataset, role, part, 'known', null, null, null, null, null, remedy
from known
union all
select
    subject, null, null, null, 'failed', null, null, null, source_url, error,
    'brainlake ingest ' || lake.shell_word(source_url)
from lake.failures
