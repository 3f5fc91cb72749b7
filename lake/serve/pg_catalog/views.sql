-- What of PostgreSQL's catalogue is derived: relations whose rows depend on the client, and views over others.
-- A column that a definition does not name is NULL; names and order of columns are PostgreSQL's (system.json).

-- pg_catalog.pg_authid
select 10 as oid, 'brainlake' as rolname, true as rolsuper, true as rolinherit, true as rolcreaterole,
    true as rolcreatedb, getvariable('client_user') = 'brainlake' as rolcanlogin, true as rolreplication, true as rolbypassrls, -1 as rolconnlimit
union all
select getvariable('client_role'), getvariable('client_user'), false, true, false, false, true, false, false, -1
where getvariable('client_user') <> 'brainlake';

-- pg_catalog.pg_roles
select oid, rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolconnlimit,
    '********' as rolpassword, rolbypassrls
from pg.pg_authid;

-- pg_catalog.pg_shadow
select rolname as usename, oid as usesysid, rolcreatedb as usecreatedb, rolsuper as usesuper, rolreplication as userepl,
    rolbypassrls as usebypassrls
from pg.pg_authid where rolcanlogin;

-- pg_catalog.pg_user
select usename, usesysid, usecreatedb, usesuper, userepl, usebypassrls, '********' as passwd from pg.pg_shadow;

-- pg_catalog.pg_database
select getvariable('client_database_oid') as oid, getvariable('client_database') as datname, 10 as datdba, 6 as encoding,
    'c' as datlocprovider, false as datistemplate, true as datallowconn, -1 as datconnlimit, 0 as datfrozenxid,
    0 as datminmxid, 1663 as dattablespace, 'C' as datcollate, 'C' as datctype;

-- pg_catalog.pg_settings
select told.name, getvariable('client_settings')[told.name] as setting, 
    coalesce(known.boot_value, getvariable('client_settings')[told.name]) as boot_val,
    'Client Connection Defaults' as category, known.meaning as short_desc, 'user' as context, 'string' as vartype,
    case when known.boot_value <> getvariable('client_settings')[told.name] then 'session' else 'default' end as source, 
    coalesce(known.boot_value, getvariable('client_settings')[told.name]) as reset_val, false as pending_restart
from (select unnest(map_keys(getvariable('client_settings'))) as name) as told
left join pg.known_settings as known on known.name = told.name
order by told.name;

-- pg_catalog.pg_tables
select n.nspname as schemaname, c.relname as tablename, pg.pg_get_userbyid(c.relowner) as tableowner,
    c.relhasindex as hasindexes, c.relhasrules as hasrules, c.relhastriggers as hastriggers,
    c.relrowsecurity as rowsecurity
from pg.pg_class as c join pg.pg_namespace as n on n.oid = c.relnamespace
where c.relkind in ('r', 'p');

-- pg_catalog.pg_views
select n.nspname as schemaname, c.relname as viewname, pg.pg_get_userbyid(c.relowner) as viewowner,
    pg.pg_get_viewdef(c.oid) as definition
from pg.pg_class as c join pg.pg_namespace as n on n.oid = c.relnamespace
where c.relkind = 'v';

-- pg_catalog.pg_indexes
select n.nspname as schemaname, c.relname as tablename, i.relname as indexname, pg.pg_get_indexdef(i.oid) as indexdef
from pg.pg_index as x
join pg.pg_class as c on c.oid = x.indrelid
join pg.pg_class as i on i.oid = x.indexrelid
join pg.pg_namespace as n on n.oid = c.relnamespace;

-- pg_catalog.pg_stat_activity
select getvariable('client_database_oid') as datid, getvariable('client_database') as datname,
    getvariable('client_pid') as pid, getvariable('client_role') as usesysid, getvariable('client_user') as usename,
    coalesce(getvariable('client_settings')['application_name'], '') as application_name,
    'active' as state, 'client backend' as backend_type;

-- pg_catalog.pg_stat_gssapi
select getvariable('client_pid') as pid, false as gss_authenticated, false as encrypted;

-- pg_catalog.pg_stat_ssl
select getvariable('client_pid') as pid, coalesce(getvariable('client_settings')['ssl'], 'off') = 'on' as ssl;

-- pg_catalog.pg_stat_database
select oid as datid, datname, 1 as numbackends from pg.pg_database;

-- pg_catalog.pg_stat_all_tables
select c.oid as relid, n.nspname as schemaname, c.relname, greatest(c.reltuples, 0)::bigint as n_live_tup,
    0 as n_dead_tup, 0 as seq_scan, 0 as n_tup_ins, 0 as n_tup_upd, 0 as n_tup_del
from pg.pg_class as c join pg.pg_namespace as n on n.oid = c.relnamespace
where c.relkind in ('r', 't', 'm', 'p');

-- pg_catalog.pg_stat_user_tables
from pg.pg_stat_all_tables where schemaname not in ('pg_catalog', 'information_schema');

-- pg_catalog.pg_stat_sys_tables
from pg.pg_stat_all_tables where schemaname in ('pg_catalog', 'information_schema');

-- pg_catalog.pg_stat_all_indexes
select c.oid as relid, i.oid as indexrelid, n.nspname as schemaname, c.relname, i.relname as indexrelname,
    0 as idx_scan, 0 as idx_tup_read, 0 as idx_tup_fetch
from pg.pg_index as x
join pg.pg_class as c on c.oid = x.indrelid
join pg.pg_class as i on i.oid = x.indexrelid
join pg.pg_namespace as n on n.oid = c.relnamespace;

-- pg_catalog.pg_stat_user_indexes
from pg.pg_stat_all_indexes where schemaname not in ('pg_catalog', 'information_schema');

-- information_schema.information_schema_catalog_name
select getvariable('client_database') as catalog_name;

-- information_schema.schemata
select getvariable('client_database') as catalog_name, nspname as schema_name,
    pg.pg_get_userbyid(nspowner) as schema_owner
from pg.pg_namespace;

-- information_schema.tables
select getvariable('client_database') as table_catalog, n.nspname as table_schema, c.relname as table_name,
    case c.relkind when 'r' then 'BASE TABLE' else 'VIEW' end as table_type, 'NO' as is_insertable_into,
    'NO' as is_typed
from pg.pg_class as c join pg.pg_namespace as n on n.oid = c.relnamespace
where c.relkind in ('r', 'v');

-- information_schema.views
select getvariable('client_database') as table_catalog, n.nspname as table_schema, c.relname as table_name,
    pg.pg_get_viewdef(c.oid) as view_definition, 'NONE' as check_option, 'NO' as is_updatable,
    'NO' as is_insertable_into, 'NO' as is_trigger_updatable, 'NO' as is_trigger_deletable,
    'NO' as is_trigger_insertable_into
from pg.pg_class as c join pg.pg_namespace as n on n.oid = c.relnamespace
where c.relkind = 'v';

-- information_schema.columns
select getvariable('client_database') as table_catalog, n.nspname as table_schema, c.relname as table_name,
    a.attname as column_name, a.attnum as ordinal_position, case when a.attnotnull then 'NO' else 'YES' end as is_nullable,
    case when b.typcategory = 'A' then 'ARRAY' when bn.oid = 11 then pg.format_type(b.oid, null)
        else 'USER-DEFINED' end as data_type,
    case when b.typname in ('text', 'varchar', 'bpchar') then null end as character_maximum_length,
    case when b.typname in ('text', 'varchar', 'bpchar') then 1073741824 end as character_octet_length,
    case b.typname when 'int2' then 16 when 'int4' then 32 when 'int8' then 64 when 'float4' then 24
        when 'float8' then 53 end as numeric_precision,
    case when b.typname in ('int2', 'int4', 'int8', 'float4', 'float8') then 2 when b.typname = 'numeric' then 10
        end as numeric_precision_radix,
    case when b.typname in ('int2', 'int4', 'int8') then 0 end as numeric_scale,
    case when b.typname = 'date' then 0 when b.typname in ('time', 'timetz', 'timestamp', 'timestamptz', 'interval')
        then 6 end as datetime_precision,
    case when l.oid is not null then getvariable('client_database') end as collation_catalog,
    case when l.oid is not null then 'pg_catalog' end as collation_schema, l.collname as collation_name,
    case when t.typtype = 'd' then getvariable('client_database') end as domain_catalog,
    case when t.typtype = 'd' then tn.nspname end as domain_schema,
    case when t.typtype = 'd' then t.typname end as domain_name,
    getvariable('client_database') as udt_catalog, bn.nspname as udt_schema, b.typname as udt_name,
    a.attnum::varchar as dtd_identifier, 'NO' as is_self_referencing, 'NO' as is_identity, 'NO' as identity_cycle,
    'NEVER' as is_generated, 'NO' as is_updatable
from pg.pg_attribute as a
join pg.pg_class as c on c.oid = a.attrelid and c.relkind in ('r', 'v')
join pg.pg_namespace as n on n.oid = c.relnamespace
join pg.pg_type as t on t.oid = a.atttypid
join pg.pg_type as b on b.oid = case when t.typtype = 'd' then t.typbasetype else t.oid end
join pg.pg_namespace as tn on tn.oid = t.typnamespace
join pg.pg_namespace as bn on bn.oid = b.typnamespace
left join pg.pg_collation as l on l.oid = a.attcollation and l.collname <> 'default'
where a.attnum > 0;

-- information_schema.element_types
select getvariable('client_database') as object_catalog, n.nspname as object_schema, c.relname as object_name,
    case c.relkind when 'r' then 'TABLE' else 'VIEW' end as object_type, a.attnum::varchar as collection_type_identifier,
    pg.format_type(e.oid, null) as data_type, getvariable('client_database') as udt_catalog, en.nspname as udt_schema,
    e.typname as udt_name, 'a' || a.attnum as dtd_identifier
from pg.pg_attribute as a
join pg.pg_class as c on c.oid = a.attrelid and c.relkind in ('r', 'v')
join pg.pg_namespace as n on n.oid = c.relnamespace
join pg.pg_type as t on t.oid = a.atttypid and t.typcategory = 'A'
join pg.pg_type as e on e.oid = t.typelem
join pg.pg_namespace as en on en.oid = e.typnamespace
where a.attnum > 0;

-- information_schema.table_constraints
select getvariable('client_database') as constraint_catalog, n.nspname as constraint_schema,
    k.conname as constraint_name, getvariable('client_database') as table_catalog, n.nspname as table_schema,
    c.relname as table_name, 'PRIMARY KEY' as constraint_type, 'NO' as is_deferrable, 'NO' as initially_deferred,
    'YES' as enforced, null as nulls_distinct
from pg.pg_constraint as k
join pg.pg_class as c on c.oid = k.conrelid
join pg.pg_namespace as n on n.oid = c.relnamespace
union all
select getvariable('client_database'), n.nspname,
    concat_ws('_', c.relnamespace::varchar, c.oid::varchar, a.attnum::varchar, 'not_null'),
    getvariable('client_database'), n.nspname, c.relname, 'CHECK', 'NO', 'NO', 'YES', null
from pg.pg_attribute as a
join pg.pg_class as c on c.oid = a.attrelid and c.relkind = 'r'
join pg.pg_namespace as n on n.oid = c.relnamespace
where a.attnotnull and a.attnum > 0;

-- information_schema.check_constraints
select getvariable('client_database') as constraint_catalog, n.nspname as constraint_schema,
    concat_ws('_', c.relnamespace::varchar, c.oid::varchar, a.attnum::varchar, 'not_null') as constraint_name,
    a.attname || ' IS NOT NULL' as check_clause
from pg.pg_attribute as a
join pg.pg_class as c on c.oid = a.attrelid and c.relkind = 'r'
join pg.pg_namespace as n on n.oid = c.relnamespace
where a.attnotnull and a.attnum > 0;

-- information_schema.key_column_usage
select getvariable('client_database') as constraint_catalog, n.nspname as constraint_schema,
    k.conname as constraint_name, getvariable('client_database') as table_catalog, n.nspname as table_schema,
    c.relname as table_name, a.attname as column_name, k.ordinal_position, null as position_in_unique_constraint
from (
    select conname, conrelid, unnest(conkey) as attnum, unnest(range(1, len(conkey) + 1)) as ordinal_position
    from pg.pg_constraint
) as k
join pg.pg_class as c on c.oid = k.conrelid
join pg.pg_namespace as n on n.oid = c.relnamespace
join pg.pg_attribute as a on a.attrelid = c.oid and a.attnum = k.attnum;

-- information_schema.constraint_column_usage
select table_catalog, table_schema, table_name, column_name, constraint_catalog, constraint_schema, constraint_name
from info.key_column_usage;

-- information_schema.routines
select getvariable('client_database') as specific_catalog, n.nspname as specific_schema,
    p.proname || '_' || p.oid as specific_name, getvariable('client_database') as routine_catalog,
    n.nspname as routine_schema, p.proname as routine_name, 'FUNCTION' as routine_type,
    case when t.typcategory = 'A' then 'ARRAY' else pg.format_type(t.oid, null) end as data_type,
    getvariable('client_database') as type_udt_catalog, tn.nspname as type_udt_schema, t.typname as type_udt_name,
    '0' as dtd_identifier, case when l.lanname = 'sql' then 'SQL' else 'EXTERNAL' end as routine_body,
    p.prosrc as routine_definition, upper(l.lanname) as external_language, 'GENERAL' as parameter_style,
    'NO' as is_deterministic, 'MODIFIES' as sql_data_access, 'NO' as is_null_call, 'YES' as schema_level_routine,
    0 as max_dynamic_result_sets, 'INVOKER' as security_type, 'NO' as as_locator, 'NO' as is_udt_dependent
from pg.pg_proc as p
join pg.pg_namespace as n on n.oid = p.pronamespace
join pg.pg_language as l on l.oid = p.prolang
join pg.pg_type as t on t.oid = p.prorettype
join pg.pg_namespace as tn on tn.oid = t.typnamespace;

-- information_schema.parameters
select getvariable('client_database') as specific_catalog, p.nspname as specific_schema,
    p.proname || '_' || p.oid as specific_name, p.ordinal_position, 'IN' as parameter_mode, 'NO' as is_result,
    'NO' as as_locator, p.parameter_name,
    case when t.typcategory = 'A' then 'ARRAY' else pg.format_type(t.oid, null) end as data_type,
    getvariable('client_database') as udt_catalog, tn.nspname as udt_schema, t.typname as udt_name,
    p.ordinal_position::varchar as dtd_identifier
from (
    select p.oid, p.proname, n.nspname, unnest(p.proargtypes) as type_oid,
        unnest(range(1, p.pronargs + 1)) as ordinal_position,
        unnest(coalesce(p.proargnames, list_resize([]::varchar[], p.pronargs))) as parameter_name
    from pg.pg_proc as p join pg.pg_namespace as n on n.oid = p.pronamespace
) as p
join pg.pg_type as t on t.oid = p.type_oid
join pg.pg_namespace as tn on tn.oid = t.typnamespace;

-- information_schema.table_privileges
select 'brainlake' as grantor, g.grantee, getvariable('client_database') as table_catalog, n.nspname as table_schema,
    c.relname as table_name, 'SELECT' as privilege_type, g.is_grantable, 'YES' as with_hierarchy
from pg.pg_class as c
join pg.pg_namespace as n on n.oid = c.relnamespace
cross join (values ('brainlake', 'YES'), ('PUBLIC', 'NO')) as g(grantee, is_grantable)
where c.relkind in ('r', 'v');

-- information_schema.column_privileges
select 'brainlake' as grantor, g.grantee, getvariable('client_database') as table_catalog, n.nspname as table_schema,
    c.relname as table_name, a.attname as column_name, 'SELECT' as privilege_type, g.is_grantable
from pg.pg_class as c
join pg.pg_namespace as n on n.oid = c.relnamespace
join pg.pg_attribute as a on a.attrelid = c.oid and a.attnum > 0
cross join (values ('brainlake', 'YES'), ('PUBLIC', 'NO')) as g(grantee, is_grantable)
where c.relkind in ('r', 'v');

-- information_schema.applicable_roles
select null as grantee, null as role_name, 'NO' as is_grantable where false;

-- information_schema.enabled_roles
select getvariable('client_user') as role_name;

-- information_schema.character_sets
select null as character_set_catalog, null as character_set_schema, 'UTF8' as character_set_name,
    'UCS' as character_repertoire, 'UTF8' as form_of_use, getvariable('client_database') as default_collate_catalog,
    'pg_catalog' as default_collate_schema, 'C' as default_collate_name;

-- information_schema.collations
select getvariable('client_database') as collation_catalog, 'pg_catalog' as collation_schema,
    collname as collation_name, 'NO PAD' as pad_attribute
from pg.pg_collation;
