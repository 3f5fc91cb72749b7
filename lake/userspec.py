"""Declarations of users' own tables: made from an Arrow schema, kept in the catalogue as JSON."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Sequence

import pyarrow as pa

from . import ducklake
from .errors import CatalogError
from .spec import Column, TableSpec

_NAME = re.compile(r"[a-z_][a-z0-9_]*")


def user_spec(name: str, schema: pa.Schema, key: Sequence[str]) -> TableSpec:
    """The TableSpec of a table someone writes under ``schema.table``.

    Raises CatalogError for a name that is not ``schema.table`` in lower case, a column type that other engines do not
    read alike, and a key column that is not there.
    """
    if [bool(_NAME.fullmatch(part)) for part in name.split(".")] != [True, True]:
        raise CatalogError(f"{name!r} cannot be a table: give schema.table in lower case, as lab.labels")
    columns = []
    for number, one in enumerate(schema, start=1):
        kind = _plain(one.type)
        if not ducklake.is_storable(kind):
            raise CatalogError(
                f"{name}: column {one.name} is {one.type}, which other engines do not read alike: cast it"
            )
        if one.name == "ingest_id":
            raise CatalogError(f"{name}: ingest_id is added by the lake; rename the column")
        metadata = {k.decode(): v.decode() for k, v in (one.metadata or {}).items()}
        columns.append(
            Column(number, one.name, kind, metadata.get("description", ""), metadata.get("unit"), one.name not in key)
        )
    missing = [k for k in key if k not in schema.names]
    if missing:
        raise CatalogError(f"{name}: key {missing[0]} is not one of its columns: {', '.join(schema.names)}")
    return TableSpec(name, "one row as its writer gave it", "rows", tuple(columns), tuple(key), sort=tuple(key))


def _plain(kind: pa.DataType) -> pa.DataType:
    """The storable type that a frame's column becomes without loss."""
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return pa.string()
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    if pa.types.is_null(kind):
        return pa.string()
    if pa.types.is_unsigned_integer(kind) and kind != pa.uint64():
        return pa.int64()
    if pa.types.is_timestamp(kind):
        return pa.timestamp("us")
    if pa.types.is_large_list(kind) or pa.types.is_list(kind):
        return pa.list_(pa.field("element", _plain(kind.value_type)))
    return kind


def spec_to_json(spec: TableSpec) -> str:
    """A declaration as the catalogue keeps it."""
    blob = base64.b64encode(spec.arrow.serialize().to_pybytes()).decode()
    return json.dumps({"name": spec.name, "grain": spec.grain, "key": spec.key, "sort": spec.sort, "arrow": blob})


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
        facts["name"], facts["grain"], "rows", tuple(columns), tuple(facts["key"]), sort=tuple(facts["sort"])
    )
