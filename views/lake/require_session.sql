-- true where a session's file is in the lake; raises otherwise, saying whether anybody knows it and what brings it
-- function: lake.require_session(session, wanted_part := null)
--   session        session_id that a question asks for; NULL asks for none
--   wanted_part    a part of its files that the question rests on, as 'lfp'
-- One subquery of its own: as a condition beside others it is computed first, also where no row meets the others.
(
    with sources as (
        select 'nwb' as kind, n.ingest_id
        from ecephys.nwb_sessions as n
        where n.session_id = session::bigint
        union all
        select 'probe', b.ingest_id
        from ecephys.nwb_probes as b
        where b.session_id = session::bigint
        union all
        select 'probe', c.ingest_id
        from ecephys.nwb_lfp_channels as c
        where c.session_id = session::bigint
        union all
        select 'known', null
        from ecephys.project_sessions as s
        where s.session_id = session::bigint
        union all
        select 'known', null
        from ecephys.annotated_units as a
        where a.session_id = session::bigint
    ),
    facts as (
        select
            coalesce(bool_or(s.kind = 'nwb'), false) as is_here,
            count(*) > 0 as is_known
        from sources as s
    ),
    wanted as (
        select
            coalesce(bool_or(p.state = 'present'), false) as is_taken,
            any_value(i.source_url) filter (where p.state = 'available') as source_url
        from lake.parts as p
        left join lake.ingests as i on i.ingest_id = p.ingest_id
        where p.part = wanted_part
            and p.ingest_id in (select s.ingest_id from sources as s)
    )
    select
        case
            when session is null or (f.is_here and (wanted_part is null or w.is_taken)) then true
            when f.is_here
                then error(
                    'absent: the ' || wanted_part || ' of session ' || session || ' is not in this lake: `brainlake ingest '
                    || coalesce(lake.shell_word(w.source_url), 'FILE') || ' --with ' || wanted_part || '` brings it'
                )
            when f.is_known
                then error(
                    'absent: session ' || session || ' is known, but its file is not in this lake: '
                    || '`brainlake ingest session_' || session || '.nwb` brings it'
                )
            else error(
                'unknown: there is no session ' || session
                || ': `select session_id from ecephys.sessions` lists those that are'
            )
        end
    from facts as f
    cross join wanted as w
)
