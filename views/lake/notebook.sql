-- one ingest, as a line of a laboratory notebook
--   ingested_at_utc   when it was committed, to the second
--   author            who ingested it: the login name
--   subject           what the source is about, as ecephys.session/715093703
--   role              in which capacity the source tells of the subject
--   source_name       name of the file, or of the table that somebody wrote
--   n_rows            rows in the lake
--   size_bytes        bytes in the lake (byte)
--   seconds           how long reading and writing took (s)
--   n_notes           warnings, and objects that were left out; lake.ingests lists them
--   note              the first of them, cut to 60 characters
--   snapshot_id       the commit
--   ingest_id         the ingest
select
    date_trunc('second', i.ingested_at_utc)::timestamp as ingested_at_utc,
    i.author,
    i.subject,
    i.role,
    regexp_extract(i.source_url, '[^/]*$') as source_name,
    i.n_rows,
    i.size_bytes,
    i.seconds,
    len(i.warnings) + len(i.skipped) as n_notes,
    left(coalesce(i.warnings[1], i.skipped[1]), 60) as note,
    i.snapshot_id,
    i.ingest_id
from lake.ingests as i
