"""The DuckLake 1.0 catalogue as plain SQL in SQLite, and our own tables beside it.

DuckLake's tables are written so that its official readers can read the lake; what they do not hold (ingests, parts,
stored schema versions, attachments, tags) lies in tables named ``brainlake_*`` of the same file, so that one SQLite
transaction commits both.
"""

from __future__ import annotations

import pyarrow as pa

from .spec import ELEMENT_FIELD, INGEST_ID_FIELD, TableSpec

FORMAT_VERSION = 2  # of the brainlake_* tables; a newer one is refused, an older one needs ``brainlake upgrade``
DUCKLAKE_VERSION = "1.0"
DATA_PATH = "data/"

DUCKLAKE_TABLES = """
create table ducklake_metadata(key varchar not null, value varchar not null, scope varchar, scope_id bigint);
create table ducklake_snapshot(snapshot_id bigint primary key, snapshot_time varchar, schema_version bigint,
    next_catalog_id bigint, next_file_id bigint);
create table ducklake_snapshot_changes(snapshot_id bigint primary key, changes_made varchar, author varchar,
    commit_message varchar, commit_extra_info varchar);
create table ducklake_schema(schema_id bigint primary key, schema_uuid varchar, begin_snapshot bigint,
    end_snapshot bigint, schema_name varchar, path varchar, path_is_relative bigint);
create table ducklake_table(table_id bigint, table_uuid varchar, begin_snapshot bigint, end_snapshot bigint,
    schema_id bigint, table_name varchar, path varchar, path_is_relative bigint);
create table ducklake_view(view_id bigint, view_uuid varchar, begin_snapshot bigint, end_snapshot bigint,
    schema_id bigint, view_name varchar, dialect varchar, sql varchar, column_aliases varchar);
create table ducklake_tag(object_id bigint, begin_snapshot bigint, end_snapshot bigint, key varchar, value varchar);
create table ducklake_column_tag(table_id bigint, column_id bigint, begin_snapshot bigint, end_snapshot bigint,
    key varchar, value varchar);
create table ducklake_data_file(data_file_id bigint primary key, table_id bigint, begin_snapshot bigint,
    end_snapshot bigint, file_order bigint, path varchar, path_is_relative bigint, file_format varchar,
    record_count bigint, file_size_bytes bigint, footer_size bigint, row_id_start bigint, partition_id bigint,
    encryption_key varchar, mapping_id bigint, partial_max bigint);
create table ducklake_file_column_stats(data_file_id bigint, table_id bigint, column_id bigint,
    column_size_bytes bigint, value_count bigint, null_count bigint, min_value varchar, max_value varchar,
    contains_nan bigint, extra_stats varchar);
create table ducklake_file_variant_stats(data_file_id bigint, table_id bigint, column_id bigint, variant_path varchar,
    shredded_type varchar, column_size_bytes bigint, value_count bigint, null_count bigint, min_value varchar,
    max_value varchar, contains_nan bigint, extra_stats varchar);
create table ducklake_delete_file(delete_file_id bigint primary key, table_id bigint, begin_snapshot bigint,
    end_snapshot bigint, data_file_id bigint, path varchar, path_is_relative bigint, format varchar,
    delete_count bigint, file_size_bytes bigint, footer_size bigint, encryption_key varchar, partial_max bigint);
create table ducklake_column(column_id bigint, begin_snapshot bigint, end_snapshot bigint, table_id bigint,
    column_order bigint, column_name varchar, column_type varchar, initial_default varchar, default_value varchar,
    nulls_allowed bigint, parent_column bigint, default_value_type varchar, default_value_dialect varchar);
create table ducklake_table_stats(table_id bigint, record_count bigint, next_row_id bigint, file_size_bytes bigint);
create table ducklake_table_column_stats(table_id bigint, column_id bigint, contains_null bigint, contains_nan bigint,
    min_value varchar, max_value varchar, extra_stats varchar);
create table ducklake_partition_info(partition_id bigint, table_id bigint, begin_snapshot bigint, end_snapshot bigint);
create table ducklake_partition_column(partition_id bigint, table_id bigint, partition_key_index bigint,
    column_id bigint, transform varchar);
create table ducklake_file_partition_value(data_file_id bigint, table_id bigint, partition_key_index bigint,
    partition_value varchar);
create table ducklake_files_scheduled_for_deletion(data_file_id bigint, path varchar, path_is_relative bigint,
    schedule_start varchar);
create table ducklake_inlined_data_tables(table_id bigint, table_name varchar, schema_version bigint);
create table ducklake_column_mapping(mapping_id bigint, table_id bigint, type varchar);
create table ducklake_name_mapping(mapping_id bigint, column_id bigint, source_name varchar, target_field_id bigint,
    parent_column bigint, is_partition bigint);
create table ducklake_schema_versions(begin_snapshot bigint, schema_version bigint, table_id bigint);
create table ducklake_macro(schema_id bigint, macro_id bigint, macro_name varchar, begin_snapshot bigint,
    end_snapshot bigint);
create table ducklake_macro_impl(macro_id bigint, impl_id bigint, dialect varchar, sql varchar, type varchar);
create table ducklake_macro_parameters(macro_id bigint, impl_id bigint, column_id bigint, parameter_name varchar,
    parameter_type varchar, default_value varchar, default_value_type varchar);
create table ducklake_sort_info(sort_id bigint, table_id bigint, begin_snapshot bigint, end_snapshot bigint);
create table ducklake_sort_expression(sort_id bigint, table_id bigint, sort_key_index bigint, expression varchar,
    dialect varchar, sort_direction varchar, null_order varchar);
create index brainlake_data_file_table on ducklake_data_file(table_id, end_snapshot);
create index brainlake_file_stats on ducklake_file_column_stats(data_file_id);
"""

OUR_TABLES = """
create table brainlake_metadata(key text primary key, value text not null);
create table brainlake_table(table_id integer primary key, name text not null, spec_version text not null,
    user_spec text);
create table brainlake_stored_schema(table_id integer not null, schema_version text not null, arrow_schema blob not null,
    primary key (table_id, schema_version));
create table brainlake_file(data_file_id integer primary key, schema_version text not null, partition_value integer,
    sha256 text);
create index brainlake_file_partition on brainlake_file(partition_value);
create table brainlake_file_ingest(data_file_id integer not null, ingest_id integer not null, n_rows integer not null,
    primary key (data_file_id, ingest_id)) without rowid;
create index brainlake_ingest_files on brainlake_file_ingest(ingest_id);
create table brainlake_ingest(ingest_id integer not null, begin_snapshot integer not null, end_snapshot integer,
    subject text not null, role text not null, dataset text, version text, doi text, licence text,
    source_url text not null, source_size_bytes integer not null, source_sha256 text not null, reader text not null,
    reader_version text not null, options text not null, parts text not null, spec_versions text not null,
    ingested_at_utc text not null, author text, message text, n_rows integer not null, size_bytes integer not null,
    warnings text not null, skipped text not null, citation text, seconds real,
    primary key (ingest_id, begin_snapshot));
create index brainlake_ingest_subject on brainlake_ingest(subject, role, end_snapshot);
create table brainlake_ingest_part(ingest_id integer not null, begin_snapshot integer not null, part text not null,
    state text not null, n_rows integer not null, size_bytes integer not null, source_bytes integer,
    primary key (ingest_id, begin_snapshot, part)) without rowid;
create table brainlake_attachment(path text primary key, ingest_id integer not null, begin_snapshot integer not null,
    end_snapshot integer, kind text not null, name text not null, n_rows integer not null, size_bytes integer not null,
    part text not null, sha256 text);
create index brainlake_attachment_ingest on brainlake_attachment(ingest_id);
create table brainlake_failure(source_url text not null, subject text, reader text, error text not null,
    failed_at_utc text not null);
create table brainlake_tag(name text primary key, snapshot_id integer not null, tagged_at_utc text not null);
create table brainlake_expired(snapshot_id integer primary key, expired_at_utc text not null);
create table brainlake_discarded(path text primary key, source_url text not null, size_bytes integer not null,
    discarded_at_utc text not null);
"""

# From each format to the next: statements of one transaction (``brainlake upgrade``).
UPGRADES = {
    1: """
alter table brainlake_file add column sha256 text;
alter table brainlake_ingest rename to brainlake_ingest_1;
drop index brainlake_ingest_subject;
create table brainlake_ingest(ingest_id integer not null, begin_snapshot integer not null, end_snapshot integer,
    subject text not null, role text not null, dataset text, version text, doi text, licence text,
    source_url text not null, source_size_bytes integer not null, source_sha256 text not null, reader text not null,
    reader_version text not null, options text not null, parts text not null, spec_versions text not null,
    ingested_at_utc text not null, author text, message text, n_rows integer not null, size_bytes integer not null,
    warnings text not null, skipped text not null, citation text, seconds real,
    primary key (ingest_id, begin_snapshot));
insert into brainlake_ingest select *, null, null from brainlake_ingest_1;
drop table brainlake_ingest_1;
create index brainlake_ingest_subject on brainlake_ingest(subject, role, end_snapshot);
alter table brainlake_ingest_part rename to brainlake_ingest_part_1;
create table brainlake_ingest_part(ingest_id integer not null, begin_snapshot integer not null, part text not null,
    state text not null, n_rows integer not null, size_bytes integer not null, source_bytes integer,
    primary key (ingest_id, begin_snapshot, part)) without rowid;
insert into brainlake_ingest_part
    select p.ingest_id, i.begin_snapshot, p.part, p.state, p.n_rows, p.size_bytes, p.source_bytes
    from brainlake_ingest_part_1 as p join brainlake_ingest as i using (ingest_id);
drop table brainlake_ingest_part_1;
alter table brainlake_attachment add column part text not null default 'tables';
alter table brainlake_attachment add column sha256 text;
create index brainlake_attachment_ingest on brainlake_attachment(ingest_id);
create table brainlake_expired(snapshot_id integer primary key, expired_at_utc text not null);
create table brainlake_discarded(path text primary key, source_url text not null, size_bytes integer not null,
    discarded_at_utc text not null);
""",
}

_TYPE_NAMES = {
    pa.int8(): "int8",
    pa.int16(): "int16",
    pa.int32(): "int32",
    pa.int64(): "int64",
    pa.float32(): "float32",
    pa.float64(): "float64",
    pa.bool_(): "boolean",
    pa.string(): "varchar",
    pa.large_string(): "varchar",
    pa.binary(): "blob",
    pa.date32(): "date",
    pa.timestamp("us"): "timestamp",
}


def column_rows(spec: TableSpec, table_id: int, snapshot_id: int) -> list[tuple[object, ...]]:
    """Rows of ``ducklake_column`` for a table: its columns, the elements of lists, and ``ingest_id``."""
    rows: list[tuple[object, ...]] = []

    def add(column_id: int, name: str, kind: str, nullable: bool, parent: int | None) -> None:
        rows.append(
            (
                column_id,
                snapshot_id,
                None,
                table_id,
                len(rows) + 1,
                name,
                kind,
                None,
                "NULL",
                int(nullable),
                parent,
                "literal" if kind != "list" else "",
                "duckdb",
            )
        )

    for column in spec:
        if pa.types.is_list(column.type):
            add(column.id, column.name, "list", column.nullable, None)
            element = column.type.value_field
            add(ELEMENT_FIELD + column.id, "element", _TYPE_NAMES[element.type], element.nullable, column.id)
        else:
            add(column.id, column.name, _TYPE_NAMES[column.type], column.nullable, None)
    add(INGEST_ID_FIELD, "ingest_id", "int64", False, None)
    return rows


def is_storable(kind: pa.DataType) -> bool:
    """Whether a lake may hold a column of this Arrow type: one that every engine reads alike."""
    if pa.types.is_list(kind):
        return kind.value_type in _TYPE_NAMES
    return kind in _TYPE_NAMES
