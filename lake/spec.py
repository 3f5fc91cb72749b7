"""The declaration language: a table is declared once, everything else about it is derived.

A :class:`TableSpec` is the single source of truth of a stored table. From it come the Parquet schema, the checks
when rows are written, the comments in DuckDB, the documentation and the catalogue's columns.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import pyarrow as pa

from .errors import SpecError

int8, int16, int32, int64 = pa.int8(), pa.int16(), pa.int32(), pa.int64()
float32, float64 = pa.float32(), pa.float64()
text, boolean, timestamp = pa.string(), pa.bool_(), pa.timestamp("us")

Encoding = Literal["plain", "dictionary", "delta", "split"]
PARQUET_ENCODING: dict[str, str | None] = {
    "plain": "PLAIN",
    "dictionary": None,  # asked for by use_dictionary, not by column_encoding
    "delta": "DELTA_BINARY_PACKED",
    "split": "BYTE_STREAM_SPLIT",
}

# Types other engines break on (Spark, polars, BI drivers), so no stored table may hold them.
_FORBIDDEN = (pa.types.is_decimal, pa.types.is_uint64, pa.types.is_duration, pa.types.is_interval)

INGEST_ID_FIELD = 1_000  # field id of the one column that every table carries without declaring it
ELEMENT_FIELD = 2_000  # field id of a list's elements: this plus the column's id


def list_(of: pa.DataType) -> pa.ListType:
    """A list whose elements are never NULL."""
    return pa.list_(pa.field("element", of, nullable=False))


@dataclass(frozen=True)
class Column:
    """One column: ``id`` is its Parquet and catalogue field id, permanent across renames and never reused."""

    id: int
    name: str
    type: pa.DataType
    description: str
    unit: str | None = None
    nullable: bool = False
    encoding: Encoding | None = None

    def __post_init__(self) -> None:
        if not 0 < self.id < INGEST_ID_FIELD:
            raise SpecError(f"column {self.name}: field id {self.id} is not in 1..{INGEST_ID_FIELD - 1}")
        if any(refused(self.type) for refused in _FORBIDDEN):
            raise SpecError(f"column {self.name}: {self.type} is not read alike by other engines")

    @property
    def arrow(self) -> pa.Field:
        metadata = {"PARQUET:field_id": str(self.id), "description": self.description}
        if self.unit:
            metadata["unit"] = self.unit
        kind = self.type
        if pa.types.is_list(kind):
            field_id = {"PARQUET:field_id": str(ELEMENT_FIELD + self.id)}
            kind = pa.list_(kind.value_field.with_metadata(field_id))
        return pa.field(self.name, kind, self.nullable, metadata)

    @property
    def chosen_encoding(self) -> Encoding:
        """What measured best for the type (docs/spike-layout.md), unless the column says otherwise."""
        if self.encoding:
            return self.encoding
        leaf = self.type.value_type if pa.types.is_list(self.type) else self.type
        if pa.types.is_floating(leaf):
            return "split"
        return "dictionary"


INGEST_ID = pa.field(
    "ingest_id", int64, False, {"PARQUET:field_id": str(INGEST_ID_FIELD), "description": "the ingest that wrote it"}
)


@dataclass(frozen=True)
class TableSpec:
    """A stored table.

    name : ``schema.plural_noun``
    grain : what one row is, in one line
    part : the share of a source that these rows belong to (``units``, ``spikes``, ``lfp`` ...)
    key : columns that no two live rows share
    partition : of a *bulk* table, the id by which its files are laid out; a *small* table has none
    sort : order of rows within a file
    row_group_rows, row_group_elements : a row group ends at whichever comes first; elements count list entries
    compression : ``zstd``, or ``lz4`` where unpacking is most of what a question costs
    """

    name: str
    grain: str
    part: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    partition: str | None = None
    sort: tuple[str, ...] = ()
    row_group_rows: int = 131_072
    row_group_elements: int = 131_072
    compression: Literal["zstd", "lz4"] = "zstd"

    def __post_init__(self) -> None:
        schema, _, table = self.name.partition(".")
        if not (schema and table and self.name == self.name.lower()):
            raise SpecError(f"table {self.name!r}: a name is schema.plural_noun in lower case")
        names, ids = [c.name for c in self.columns], [c.id for c in self.columns]
        if len(set(names)) < len(names) or len(set(ids)) < len(ids) or "ingest_id" in names:
            raise SpecError(f"table {self.name}: a column name or field id is used twice or is reserved")
        for name in (*self.key, *self.sort, *([self.partition] if self.partition else [])):
            if name not in names:
                raise SpecError(f"table {self.name}: {name} is not a column of it")
        for name in self.key:
            if self[name].nullable:
                raise SpecError(f"table {self.name}: key column {name} may not be nullable")

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    @property
    def schema_name(self) -> str:
        return self.name.partition(".")[0]

    @property
    def table_name(self) -> str:
        return self.name.partition(".")[2]

    @property
    def is_bulk(self) -> bool:
        return self.partition is not None

    @cached_property
    def arrow(self) -> pa.Schema:
        """Schema of a data file: the declared columns, then ``ingest_id``."""
        return pa.schema([*(c.arrow for c in self.columns), INGEST_ID], metadata={"grain": self.grain})

    @cached_property
    def version(self) -> str:
        """Digest of what a stored file depends on; wording and units may change without a new version."""
        facts = [(c.id, c.name, str(c.type), c.nullable) for c in self.columns]
        return hashlib.sha256(json.dumps([facts, self.partition, self.sort]).encode()).hexdigest()[:16]
