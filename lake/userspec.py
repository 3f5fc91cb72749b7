"""Declarations of users' own tables: made from an Arrow schema, kept in the catalogue as JSON."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from . import ducklake
from .errors import CatalogError
from .spec import Column, TableSpec

GRAIN = "one row as its writer gave it"
MOST_PARTITIONS = 2_000
_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_UNIT = re.compile(r"(.*?)\s*\[([^\[\]]*)\]\s*", re.DOTALL)
_SCHEMAS = ("main", "temp", "system", "memory", "information_schema", "pg_catalog", "other")  # DuckDB's and SQLite's


def described(text: str) -> tuple[str, str | None]:
    """A column's description and unit: ``time of the first spike [s]``."""
    found = _UNIT.fullmatch(text)
    return (found[1], found[2] or None) if found else (text.strip(), None)


def user_spec(
    name: str,
    schema: pa.Schema,
    key: Sequence[str] = (),
    partition: str | None = None,
    about: str | None = None,
    descriptions: Mapping[str, str] | None = None,
) -> TableSpec:
    """The TableSpec of a table someone writes under ``schema.table``.

    partition : an integer column, of which each value has files of its own
    about : what one row is; descriptions : of columns, a unit in brackets at the end

    Raises CatalogError for a name that cannot be one, a column type that other engines do not read alike, and a key,
    partition or description of a column that is not there.
    """
    _refuse_name(name)
    told = {column: described(text) for column, text in (descriptions or {}).items()}
    columns = []
    for number, one in enumerate(schema, start=1):
        _refuse_column(name, one, schema)
        metadata = {k.decode(): v.decode() for k, v in (one.metadata or {}).items()}
        text, unit = told.get(one.name, (metadata.get("description", ""), metadata.get("unit")))
        columns.append(
            Column(number, one.name, plain_type(one.type), text, unit, one.name not in key and one.name != partition)
        )
    for what, names in (("key", key), ("partition", [partition] if partition else []), ("description", list(told))):
        if missing := [n for n in names if n not in schema.names]:
            raise CatalogError(f"{name}: {what} {missing[0]} is not one of its columns: {', '.join(schema.names)}")
    if partition:
        if plain_type(schema.field(partition).type) != pa.int64():
            raise CatalogError(f"{name}: partition {partition} is {schema.field(partition).type}: it must be a BIGINT")
        if key and partition not in key:
            raise CatalogError(f"{name}: the key must hold {partition}, by which the table is partitioned")
    sort = tuple(k for k in key if k != partition)
    return TableSpec(name, about or GRAIN, "rows", tuple(columns), tuple(key), partition, sort)


def with_descriptions_of(before: TableSpec, spec: TableSpec) -> TableSpec:
    """A declaration with what an earlier one told of the columns that both have, where the later tells nothing."""
    told = {column.name: column for column in before if column.description or column.unit}
    columns = [
        replace(c, description=told[c.name].description, unit=told[c.name].unit)
        if c.name in told and not (c.description or c.unit)
        else c
        for c in spec
    ]
    grain = before.grain if spec.grain == GRAIN else spec.grain
    return replace(spec, columns=tuple(columns), grain=grain)


def _refuse_name(name: str) -> None:
    parts = name.split(".")
    if len(parts) != 2 or not all(map(_NAME.fullmatch, parts)):
        raise CatalogError(f"{name!r} cannot be a table: give schema.table in lower case, as lab.labels")
    for part in parts:
        if part in _reserved_words():
            raise CatalogError(f"{name}: {part} is a word of SQL: choose another, as {part}_1")
    if parts[0] in _SCHEMAS:
        raise CatalogError(f"{name}: schema {parts[0]} is DuckDB's own; choose another, as lab.{parts[1]}")


@cache
def _reserved_words() -> frozenset[str]:
    with duckdb.connect() as con:
        query = "select keyword_name from duckdb_keywords() where keyword_category = 'reserved'"
        return frozenset(word for (word,) in con.execute(query).fetchall())


def _refuse_column(table: str, one: pa.Field, schema: pa.Schema) -> None:
    if not one.name.strip() or '"' in one.name or "\n" in one.name:
        raise CatalogError(f"{table}: a column is named {one.name!r}: give it a name without quotes")
    if one.name.lower() == "ingest_id":
        raise CatalogError(f"{table}: ingest_id is added by the lake; rename the column")
    if [n.lower() for n in schema.names].count(one.name.lower()) > 1:
        raise CatalogError(f"{table}: several columns are named {one.name} (upper and lower case are one in SQL)")
    kind = plain_type(one.type)
    if not ducklake.is_storable(kind):
        raise CatalogError(
            f"{table}: column {one.name} is {one.type}, which other engines do not read alike: {_advice(one.type)}"
        )


def _advice(kind: pa.DataType) -> str:
    if pa.types.is_decimal(kind):
        return "cast it to double, or to an integer of the smallest unit"
    if pa.types.is_duration(kind) or pa.types.is_interval(kind):
        return "keep it as seconds, a double"
    if pa.types.is_time(kind):
        return "keep it as seconds since midnight, or as text"
    if pa.types.is_struct(kind) or pa.types.is_map(kind):
        return "give each field a column, or keep it as JSON text"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        return "a list may hold plain values alone: give nested ones rows of their own, or keep them as JSON text"
    if pa.types.is_fixed_size_binary(kind):
        return "keep it as text"
    return "cast it"


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The storable type that a frame's column becomes."""
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) or pa.types.is_null(kind):
        return pa.string()
    if pa.types.is_large_binary(kind) or pa.types.is_binary_view(kind):
        return pa.binary()
    if pa.types.is_dictionary(kind):
        return plain_type(kind.value_type)
    if pa.types.is_unsigned_integer(kind):
        return pa.int64()
    if kind == pa.float16():
        return pa.float32()
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us")
    if pa.types.is_date(kind):
        return pa.date32()
    if pa.types.is_large_list(kind) or pa.types.is_list(kind) or pa.types.is_fixed_size_list(kind):
        return pa.list_(pa.field("element", plain_type(kind.value_type)))
    return kind


def storable(spec: TableSpec, table: pa.Table) -> pa.Table:
    """A table's rows as its declaration has them, in order. Missing columns that may be NULL are.

    Raises CatalogError naming the column, for a value that its type does not hold and a key that is NULL.
    """
    if unknown := [n for n in table.column_names if n not in spec.arrow.names]:
        raise CatalogError(f"{spec.name} has no column {unknown[0]}: it has {', '.join(c.name for c in spec)}")
    arrays = []
    for column in spec:
        if column.name not in table.column_names:
            array: pa.Array | pa.ChunkedArray = pa.nulls(table.num_rows, column.type)
        else:
            array = _cast(spec, column, table[column.name])
        if array.null_count and not column.nullable:
            what = "partition" if column.name == spec.partition else "key"
            raise CatalogError(f"{spec.name}: {what} {column.name} is NULL in {array.null_count:,} rows")
        arrays.append(array)
    fields = [spec.arrow.field(column.name) for column in spec]
    rows = pa.table(arrays, schema=pa.schema(fields))
    if spec.partition:
        n = len(pc.unique(rows[spec.partition]))
        if n > MOST_PARTITIONS:
            raise CatalogError(
                f"{spec.name}: {spec.partition} has {n:,} values, each of which would have files of its own: leave the "
                f"partition out (a key that begins with {spec.partition} serves most questions as well)"
            )
    order = [*([spec.partition] if spec.partition else []), *spec.sort]
    return rows.sort_by([(column, "ascending") for column in order]) if order else rows


def _cast(spec: TableSpec, column: Column, values: pa.ChunkedArray) -> pa.ChunkedArray:
    try:
        if pa.types.is_dictionary(values.type):  # its values first: some kinds of text can only be cast alone
            chunks = [one.dictionary.cast(column.type).take(one.indices) for one in values.chunks]
            return pa.chunked_array(chunks, column.type)
        return values.cast(column.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise CatalogError(f"{spec.name}: column {column.name} as {column.type}: {reason}") from None


def spec_to_json(spec: TableSpec) -> str:
    """A declaration as the catalogue keeps it."""
    blob = base64.b64encode(spec.arrow.serialize().to_pybytes()).decode()
    facts = {"name": spec.name, "grain": spec.grain, "key": spec.key, "sort": spec.sort, "arrow": blob}
    return json.dumps(facts | ({"partition": spec.partition} if spec.partition else {}))


def spec_from_json(text: str) -> TableSpec:
    """The declaration back."""
    facts = json.loads(text)
    schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(facts["arrow"])))
    columns = []
    for one in schema:
        metadata = {k.decode(): v.decode() for k, v in (one.metadata or {}).items()}
        if one.name != "ingest_id":
            columns.append(
                Column(int(metadata["PARQUET:field_id"]), one.name, one.type, metadata.get("description", ""),
                       metadata.get("unit"), one.nullable)
            )  # fmt: skip
    return TableSpec(
        facts["name"], facts["grain"], "rows", tuple(columns), tuple(facts["key"]), facts.get("partition"),
        tuple(facts["sort"]),
    )  # fmt: skip
