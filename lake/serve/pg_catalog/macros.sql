-- PostgreSQL's functions as DuckDB's macros. Those that begin with an underscore are Python's (functions.py).
-- A macro may have several forms, told apart by how many arguments there are.

-- the client
create macro pg.current_database() as getvariable('client_database');
create macro pg.current_catalog() as getvariable('client_database');
create macro pg.current_user() as getvariable('client_user');
create macro pg.session_user() as getvariable('client_user');
create macro pg."user"() as getvariable('client_user');
create macro pg.current_role() as getvariable('client_user');
create macro pg.getpgusername() as getvariable('client_user');
create macro pg.current_schema() as getvariable('client_path')[1];
create macro pg.current_schemas(implicit) as
    case when implicit then list_prepend('pg_catalog', getvariable('client_path')) else getvariable('client_path') end;
create macro pg.pg_backend_pid() as getvariable('client_pid')::integer;
create macro pg.current_setting(setting_name) as coalesce(
        getvariable('client_settings')[lower(setting_name)],
        error('unrecognized configuration parameter "' || setting_name || '"')),
    (setting_name, missing_ok) as case when missing_ok then getvariable('client_settings')[lower(setting_name)]
        else coalesce(getvariable('client_settings')[lower(setting_name)],
            error('unrecognized configuration parameter "' || setting_name || '"')) end;
create macro pg.set_config(setting_name, new_value, is_local) as new_value;
create macro pg.pg_client_encoding() as 'UTF8';
create macro pg.getdatabaseencoding() as 'UTF8';
create macro pg.pg_is_in_recovery() as false;
create macro pg.pg_is_wal_replay_paused() as false;
create macro pg.pg_my_temp_schema() as 0::bigint;
create macro pg.pg_is_other_temp_schema(oid_) as false;
create macro pg.inet_client_addr() as null::varchar;
create macro pg.inet_client_port() as null::integer;
create macro pg.inet_server_addr() as null::varchar;
create macro pg.inet_server_port() as null::integer;
create macro pg.txid_current_if_assigned() as null::bigint;
create macro pg.pg_current_xact_id() as pg.txid_current();
create macro pg.pg_current_xact_id_if_assigned() as null::bigint;
create macro pg.pg_conf_load_time() as pg.pg_postmaster_start_time();
create macro pg.pg_blocking_pids(pid) as []::integer[];
create macro pg.pg_cancel_backend(pid) as false;
create macro pg.pg_terminate_backend(pid) as false, (pid, timeout_) as false;
create macro pg.pg_jit_available() as false;
create macro pg.age(xid) as 0, (a, b) as a - b;

-- names of things
create macro pg.format_type(type_oid, type_mod) as pg_format_type(type_oid::bigint, type_mod::integer, getvariable('client_path'));
create macro pg.pg_get_userbyid(role_oid) as case when role_oid is null then null when role_oid = 10 then 'brainlake'
    when role_oid = getvariable('client_role') then getvariable('client_user')
    else 'unknown (OID=' || role_oid::varchar || ')' end;
create macro pg.parse_ident(a) as pg_split_name(a::varchar), (a, strictly) as pg_split_name(a::varchar);
create macro pg.quote_ident(a) as pg_quote_ident(a::varchar);
create macro pg.quote_literal(a) as pg_quote_literal(a::varchar);
create macro pg.quote_nullable(a) as coalesce(pg_quote_literal(a::varchar), 'NULL');
create macro pg.to_regclass(a) as pg_reg_in('regclass', a::varchar, getvariable('client_path'));
create macro pg.to_regtype(a) as pg_reg_in('regtype', a::varchar, getvariable('client_path'));
create macro pg.to_regproc(a) as pg_reg_in('regproc', a::varchar, getvariable('client_path'));
create macro pg.to_regprocedure(a) as pg_reg_in('regprocedure', a::varchar, getvariable('client_path'));
create macro pg.to_regnamespace(a) as pg_reg_in('regnamespace', a::varchar, getvariable('client_path'));
create macro pg.to_regrole(a) as case pg_fold_name(a::varchar) when 'brainlake' then 10
    when getvariable('client_user') then getvariable('client_role') end;
create macro pg.reg_in(kind, a) as case when a is null then null else coalesce(
    case when kind = 'regrole' then coalesce(try_cast(a as bigint), pg.to_regrole(a))
        else pg_reg_in(kind, a::varchar, getvariable('client_path')) end,
    error(case kind when 'regclass' then 'relation' when 'regtype' then 'type' when 'regnamespace' then 'schema'
        when 'regrole' then 'role' else 'function' end || ' "' || a::varchar || '" does not exist')) end;
create macro pg.reg_out(kind, a) as case when kind = 'regrole'
    then case when a in (10, getvariable('client_role')) then pg_quote_ident(pg.pg_get_userbyid(a)) else a::varchar end
    else pg_reg_out(kind, a::bigint, getvariable('client_path')) end;
create macro pg.pg_typeof(a) as pg_type_of(typeof(a));
create macro pg.pg_encoding_to_char(a) as case a when 6 then 'UTF8' when 0 then 'SQL_ASCII' else '' end;
create macro pg.pg_char_to_encoding(a) as case upper(a) when 'UTF8' then 6 when 'SQL_ASCII' then 0 else -1 end;
create macro pg.oidvectortypes(a) as pg_types_of_vector(a, getvariable('client_path'));
create macro pg.pg_describe_object(class_oid, object_oid, column_) as pg_reg_out('regclass', object_oid::bigint, getvariable('client_path'));

-- what is said of things
create macro pg.obj_description(a) as pg_description(a::bigint, null, 0),
    (a, of_catalog) as pg_description(a::bigint, of_catalog::varchar, 0);
create macro pg.col_description(a, column_) as pg_description(a::bigint, 'pg_class', column_::integer);
create macro pg.shobj_description(a, of_catalog) as null::varchar;
create macro pg.pg_get_expr(a, of_relation) as a::varchar, (a, of_relation, pretty) as a::varchar;
create macro pg.pg_get_viewdef(a) as pg_definition('view', pg.reg_in('regclass', a::varchar)),
    (a, pretty) as pg_definition('view', pg.reg_in('regclass', a::varchar));
create macro pg.pg_get_indexdef(a) as pg_index_definition(a::bigint, 0), (a, column_, pretty) as pg_index_definition(a::bigint, column_::integer);
create macro pg.pg_get_constraintdef(a) as pg_definition('constraint', a::bigint), (a, pretty) as pg_definition('constraint', a::bigint);
create macro pg.pg_get_functiondef(a) as pg_definition('function', a::bigint);
create macro pg.pg_get_function_arguments(a) as pg_definition('arguments', a::bigint);
create macro pg.pg_get_function_identity_arguments(a) as pg_definition('identity arguments', a::bigint);
create macro pg.pg_get_function_result(a) as pg_definition('result', a::bigint);
create macro pg.pg_get_function_sqlbody(a) as null::varchar;
create macro pg.pg_get_function_arg_default(a, n) as null::varchar;
create macro pg.pg_get_triggerdef(a) as null::varchar, (a, pretty) as null::varchar;
create macro pg.pg_get_ruledef(a) as null::varchar, (a, pretty) as null::varchar;
create macro pg.pg_get_statisticsobjdef(a) as null::varchar;
create macro pg.pg_get_statisticsobjdef_columns(a) as null::varchar;
create macro pg.pg_get_statisticsobjdef_expressions(a) as null::varchar[];
create macro pg.pg_get_partkeydef(a) as null::varchar;
create macro pg.pg_get_partition_constraintdef(a) as null::varchar;
create macro pg.pg_get_serial_sequence(a, b) as null::varchar;
create macro pg.pg_tablespace_location(a) as '';
create macro pg.pg_relation_filenode(a) as a::bigint;
create macro pg.pg_relation_filepath(a) as null::varchar;
create macro pg.pg_relation_is_updatable(a, with_triggers) as 0;
create macro pg.pg_column_is_updatable(a, b, with_triggers) as false;
create macro pg.pg_relation_is_publishable(a) as false;
create macro pg.pg_partition_root(a) as null::bigint;
create macro pg.row_security_active(a) as false;
create macro pg.pg_index_column_has_property(a, n, property) as case property
    when 'asc' then true when 'nulls_last' then true when 'orderable' then true when 'returnable' then true
    when 'search_array' then true when 'search_nulls' then true else false end;
create macro pg.pg_index_has_property(a, property) as property <> 'clusterable';
create macro pg.pg_indexam_has_property(a, property) as true;
create macro pg.pg_relation_size(a) as pg_size_of(pg.reg_in('regclass', a::varchar)), (a, fork) as pg_size_of(pg.reg_in('regclass', a::varchar));
create macro pg.pg_table_size(a) as pg_size_of(pg.reg_in('regclass', a::varchar));
create macro pg.pg_total_relation_size(a) as pg_size_of(pg.reg_in('regclass', a::varchar));
create macro pg.pg_indexes_size(a) as 0::bigint;
create macro pg.pg_database_size(a) as pg_size_of(0);
create macro pg.pg_tablespace_size(a) as pg_size_of(0);
create macro pg.pg_size_pretty(a) as pg_pretty_size(a::bigint);

-- what the client sees and may do: read everything
create macro pg.pg_table_is_visible(a) as pg_is_visible('regclass', a::bigint, getvariable('client_path'));
create macro pg.pg_type_is_visible(a) as pg_is_visible('regtype', a::bigint, getvariable('client_path'));
create macro pg.pg_function_is_visible(a) as pg_is_visible('regproc', a::bigint, getvariable('client_path'));
create macro pg.pg_operator_is_visible(a) as true;
create macro pg.pg_opclass_is_visible(a) as true;
create macro pg.pg_opfamily_is_visible(a) as true;
create macro pg.pg_collation_is_visible(a) as true;
create macro pg.pg_conversion_is_visible(a) as true;
create macro pg.pg_statistics_obj_is_visible(a) as true;
create macro pg.pg_ts_config_is_visible(a) as true;
create macro pg.pg_ts_dict_is_visible(a) as true;
create macro pg.pg_ts_parser_is_visible(a) as true;
create macro pg.pg_ts_template_is_visible(a) as true;
create macro pg.may(privileges, granted) as
    list_has_any(list_transform(string_split(upper(privileges), ','), lambda p: trim(p)), granted);
create macro pg.has_table_privilege(a, p) as pg.may(p, ['SELECT']), (u, a, p) as pg.may(p, ['SELECT']);
create macro pg.has_any_column_privilege(a, p) as pg.may(p, ['SELECT']), (u, a, p) as pg.may(p, ['SELECT']);
create macro pg.has_column_privilege(a, c, p) as pg.may(p, ['SELECT']), (u, a, c, p) as pg.may(p, ['SELECT']);
create macro pg.has_schema_privilege(a, p) as pg.may(p, ['USAGE']), (u, a, p) as pg.may(p, ['USAGE']);
create macro pg.has_database_privilege(a, p) as pg.may(p, ['CONNECT']), (u, a, p) as pg.may(p, ['CONNECT']);
create macro pg.has_function_privilege(a, p) as pg.may(p, ['EXECUTE']), (u, a, p) as pg.may(p, ['EXECUTE']);
create macro pg.has_language_privilege(a, p) as pg.may(p, ['USAGE']), (u, a, p) as pg.may(p, ['USAGE']);
create macro pg.has_type_privilege(a, p) as pg.may(p, ['USAGE']), (u, a, p) as pg.may(p, ['USAGE']);
create macro pg.has_sequence_privilege(a, p) as false, (u, a, p) as false;
create macro pg.has_tablespace_privilege(a, p) as false, (u, a, p) as false;
create macro pg.has_server_privilege(a, p) as false, (u, a, p) as false;
create macro pg.has_foreign_data_wrapper_privilege(a, p) as false, (u, a, p) as false;
create macro pg.has_parameter_privilege(a, p) as false, (u, a, p) as false;
create macro pg.is_own_role(a) as a in (getvariable('client_user'), getvariable('client_role')::varchar);
create macro pg.pg_has_role(a, p) as pg.is_own_role(a::varchar), (u, a, p) as pg.is_own_role(a::varchar);

-- texts and arrays
create macro pg.array_to_string(a, separator) as case when a is null then null else coalesce(array_to_string(
        list_filter(list_transform(a, lambda e: e::varchar), lambda e: e is not null), separator), '') end,
    (a, separator, for_null) as case when a is null then null else coalesce(array_to_string(
        list_transform(a, lambda e: coalesce(e::varchar, for_null)), separator), '') end;
create macro pg.string_to_array(a, separator) as case when a = '' then []::varchar[] else string_split(a, separator) end;
create macro pg.array_length(a, dimension) as case when dimension = 1 then nullif(len(a), 0) end;
create macro pg.array_upper(a, dimension) as case when dimension = 1 then nullif(len(a), 0) end;
create macro pg.array_lower(a, dimension) as case when dimension = 1 and len(a) > 0 then 1 end;
create macro pg.array_ndims(a) as case when len(a) > 0 then 1 end;
create macro pg.cardinality(a) as len(a);
create macro pg.array_remove(a, element) as list_filter(a, lambda e: e is distinct from element);
create macro pg.array_position(a, element) as nullif(list_position(a, element), 0);
create macro pg.array_append(a, element) as list_append(a, element);
create macro pg.array_prepend(element, a) as list_prepend(element, a);
create macro pg.array_cat(a, b) as case when a is null then b when b is null then a else list_concat(a, b) end;
create macro pg.expand_array(a) as unnest(list_transform(range(1, len(a) + 1), lambda i: {'x': a[i], 'n': i::integer}));
create macro pg.format(template) as pg_format(template::varchar, []::varchar[]), (template, given) as pg_format(template::varchar, given);
create macro pg.btrim(a) as trim(a), (a, b) as trim(a, b);
create macro pg.char_length(a) as length(a);
create macro pg.textcat(a, b) as a || b;

-- relations
create macro pg.pg_get_keywords() as table
    select word, catcode, catcode <> 'R' as barelabel, case catcode when 'R' then 'reserved' when 'U' then 'unreserved'
        when 'C' then 'unreserved (cannot be function or type name)' else 'reserved (can be function or type name)'
        end as catdesc, case when catcode = 'R' then 'requires AS' else 'can be bare label' end as baredesc
    from pg.keywords;
create macro pg.pg_show_all_settings() as table from pg.pg_settings;
create macro pg.pg_listening_channels() as table select null::varchar as pg_listening_channels where false;
create macro pg.pg_timezone_abbrevs() as table
    select 'UTC' as abbrev, interval '0 seconds' as utc_offset, false as is_dst;
create macro pg.pg_timezone_names() as table
    select 'UTC' as name, 'UTC' as abbrev, interval '0 seconds' as utc_offset, false as is_dst;
create macro pg.pg_lock_status() as table from pg.pg_locks;
create macro pg.pg_partition_ancestors(a) as table select null::bigint as relid where false;
create macro pg.pg_partition_tree(a) as table
    select null::bigint as relid, null::bigint as parentrelid, null::boolean as isleaf, null::integer as level where false;
create macro pg.pg_options_to_table(a) as table
    select split_part(o, '=', 1) as option_name, split_part(o, '=', 2) as option_value from (select unnest(a::varchar[]) as o);
create macro pg.aclexplode(a) as table
    select 10::bigint as grantor, case when split_part(o, '=', 1) = '' then 0 else 10 end::bigint as grantee,
        case when contains(split_part(split_part(o, '=', 2), '/', 1), 'U') then 'USAGE' else 'SELECT' end as privilege_type, false as is_grantable
    from (select unnest(a::varchar[]) as o);
