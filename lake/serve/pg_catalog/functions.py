"""PostgreSQL's functions that look things up by oid or name, as Python functions of the catalogue's DuckDB."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import duckdb

from ..postgres.types import oid_of
from .objects import ANY, RECORD, LakeObjects
from .rows import Row, arguments, key_name
from .system import quote_ident

Path = list[str] | None
_ARRAY_SUBSCRIPTS = 6179  # array_subscript_handler, which vectors have too
_UNTOASTED = "p"  # how vectors are stored, which are no arrays proper

# How PostgreSQL writes types of its own that it stores under other names.
_SPOKEN = {
    "bool": "boolean", "int2": "smallint", "int4": "integer", "int8": "bigint", "float4": "real",
    "float8": "double precision", "varchar": "character varying", "bpchar": "character", "char": '"char"',
    "time": "time without time zone", "timetz": "time with time zone", "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone", "varbit": "bit varying", "bit": "bit", "interval": "interval", "numeric": "numeric", "any": '"any"',
}  # fmt: skip
_ALSO_SPOKEN = {
    "int": "int4", "decimal": "numeric", "float": "float8", "string": "text", "dec": "numeric", "char": "bpchar",
    "character varying": "varchar", "character": "bpchar", "time": "time", "timestamp": "timestamp",
}  # fmt: skip
_PARTS = re.compile(r'\s*(?:"((?:[^"]|"")*)"|([^\s".]+))\s*(?:\.|$)')
_CLASS_OF = {"regclass": "pg_class", "regtype": "pg_type", "regproc": "pg_proc", "regprocedure": "pg_proc"}


class Functions:
    """Look-ups over the rows of a catalogue. Oids of nothing give NULL, or what PostgreSQL gives for them."""

    def __init__(self, rows: dict[str, list[Row]], lake: LakeObjects) -> None:
        self._schemas = {row["oid"]: row["nspname"] for row in rows["pg_namespace"]}
        self._types = {row["oid"]: row for row in rows["pg_type"]}
        self._names: dict[str, dict[int, tuple[str, str]]] = {
            "pg_class": self._qualified(rows["pg_class"], "relname", "relnamespace"),
            "pg_type": self._qualified(rows["pg_type"], "typname", "typnamespace"),
            "pg_proc": self._qualified(rows["pg_proc"], "proname", "pronamespace"),
        }
        self._oids: dict[str, dict[tuple[str, str], int]] = {
            table: {pair: oid for oid, pair in reversed(named.items())} for table, named in self._names.items()
        }
        self._schema_oids = {name: oid for oid, name in self._schemas.items()}
        self._descriptions: dict[tuple[int, int], dict[int, str]] = defaultdict(dict)
        for row in rows["pg_description"]:
            self._descriptions[row["objoid"], row["objsubid"]][row["classoid"]] = row["description"]
        self._spoken = {row["oid"]: self._speak(row["oid"], []) for row in rows["pg_type"]}
        self._lake(lake)

    def _qualified(self, rows: Iterable[Row], name: str, schema: str) -> dict[int, tuple[str, str]]:
        return {row["oid"]: (self._schemas[row[schema]], row[name]) for row in rows}

    def _lake(self, lake: LakeObjects) -> None:
        """Definitions and sizes of the lake's own objects."""
        self._defined: dict[tuple[str, int], str] = {}
        self._index_columns: dict[int, list[str]] = {}
        self.measure(lake)
        for one in lake.relations:
            oid = lake.oid("relation", one.qualified)
            if one.definition is not None:
                self._defined["view", oid] = f" {one.definition};"
            if one.key:
                index, constraint = (lake.oid(kind, one.qualified) for kind in ("index", "constraint"))
                columns = [quote_ident(one.columns[number - 1].name) for number in one.key]
                listed, table = ", ".join(columns), f"{quote_ident(one.schema)}.{quote_ident(one.name)}"
                name = quote_ident(key_name(one))
                self._index_columns[index] = columns
                self._defined["index", index] = f"CREATE UNIQUE INDEX {name} ON {table} USING btree ({listed})"
                self._defined["constraint", constraint] = f"PRIMARY KEY ({listed})"
        for function in lake.functions:
            oid = lake.oid("function", f"{function.schema}.{function.name}")
            told, kind = arguments(function, self._spoken), function.returns
            result = "record" if kind == RECORD else '"any"' if kind == ANY else self._spoken[kind]
            result = f"SETOF {result}" if function.is_set else result
            self._defined["arguments", oid] = told
            self._defined["identity arguments", oid] = arguments(function, self._spoken, with_defaults=False)
            self._defined["result", oid] = result
            name = f"{quote_ident(function.schema)}.{quote_ident(function.name)}"
            self._defined["function", oid] = (
                f"CREATE OR REPLACE FUNCTION {name}({told})\n RETURNS {result}\n LANGUAGE {function.language}\n"
                f"AS $function$\n{function.body}\n$function$\n"
            )

    def measure(self, lake: LakeObjects) -> None:
        """Take sizes from these objects."""
        self._sizes = {lake.oid("relation", one.qualified): one.size_bytes for one in lake.relations}

    def register(self, con: duckdb.DuckDBPyConnection) -> None:
        """Make them callable on a connection."""
        path = "VARCHAR[]"
        functions: list[tuple[str, Callable[..., Any], list[str], str]] = [
            ("pg_format_type", self.format_type, ["BIGINT", "INTEGER", path], "VARCHAR"),
            ("pg_quote_ident", lambda name: None if name is None else quote_ident(name), ["VARCHAR"], "VARCHAR"),
            ("pg_quote_literal", quote_literal, ["VARCHAR"], "VARCHAR"),
            ("pg_fold_name", fold_name, ["VARCHAR"], "VARCHAR"),
            ("pg_split_name", lambda name: None if name is None else split_name(name), ["VARCHAR"], "VARCHAR[]"),
            ("pg_reg_in", self.oid_named, ["VARCHAR", "VARCHAR", path], "BIGINT"),
            ("pg_reg_out", self.name_of, ["VARCHAR", "BIGINT", path], "VARCHAR"),
            ("pg_type_of", self.type_of, ["VARCHAR"], "VARCHAR"),
            ("pg_types_of_vector", self.types_of_vector, ["BIGINT[]", path], "VARCHAR"),
            ("pg_description", self.description, ["BIGINT", "VARCHAR", "INTEGER"], "VARCHAR"),
            ("pg_definition", self.definition, ["VARCHAR", "BIGINT"], "VARCHAR"),
            ("pg_index_definition", self.index_definition, ["BIGINT", "INTEGER"], "VARCHAR"),
            ("pg_size_of", self.size_of, ["BIGINT"], "BIGINT"),
            ("pg_pretty_size", pretty_size, ["BIGINT"], "VARCHAR"),
            ("pg_is_visible", self.is_visible, ["VARCHAR", "BIGINT", path], "BOOLEAN"),
            ("pg_format", format_text, ["VARCHAR", "VARCHAR[]"], "VARCHAR"),
        ]
        create: Any = con.create_function  # its stub wants types by other names
        for name, function, takes, returns in functions:
            kinds = [duckdb.sqltype(one) for one in takes]
            create(name, function, kinds, duckdb.sqltype(returns), null_handling="special")

    # -- names and types ------------------------------------------------------------------------------------------

    def is_visible(self, kind: str, oid: int | None, path: Path) -> bool | None:
        """True if the bare name finds it: no schema before its own on the path has one of the name."""
        table = _CLASS_OF[kind]
        if oid not in self._names[table]:
            return None
        schema, name = self._names[table][oid]
        return self._first(table, name, path) == schema

    def _first(self, table: str, name: str, path: Path) -> str | None:
        """The first schema on a path that has something of the name."""
        named = self._oids[table]
        return next((schema for schema in ("pg_catalog", *(path or ())) if (schema, name) in named), None)

    def format_type(self, oid: int | None, modifier: int | None, path: Path) -> str | None:
        """How PostgreSQL writes a type, with its modifier."""
        if oid is None:
            return None
        if oid not in self._types:
            return "-" if oid == 0 else "???"
        return self._speak(oid, path, modifier)

    def _speak(self, oid: int, path: Path, modifier: int | None = None) -> str:
        row = self._types[oid]
        is_array = row["typsubscript"] == _ARRAY_SUBSCRIPTS and row["typstorage"] != _UNTOASTED
        if is_array and row["typelem"] in self._types:
            return f"{self._speak(row['typelem'], path, modifier)}[]"
        schema, name = self._schemas[row["typnamespace"]], row["typname"]
        if schema != "pg_catalog":
            bare = quote_ident(name)
            return bare if self._first("pg_type", name, path) == schema else f"{quote_ident(schema)}.{bare}"
        return _modified(_SPOKEN.get(name) or quote_ident(name), name, modifier)

    def type_of(self, duckdb_type: str | None) -> str | None:
        """``pg_typeof``: how PostgreSQL writes a DuckDB type."""
        if duckdb_type is None:
            return None
        return "unknown" if duckdb_type == '"NULL"' else self._spoken.get(oid_of(duckdb_type).oid)

    def types_of_vector(self, oids: list[int] | None, path: Path) -> str | None:
        """``oidvectortypes``."""
        return None if oids is None else ", ".join(self.format_type(oid, None, path) or "-" for oid in oids)

    def oid_named(self, kind: str, text: str | None, path: Path) -> int | None:
        """What a name, or an oid as text, stands for; None where there is no such thing."""
        if text is None:
            return None
        if text.isdigit():
            return int(text)
        if text == "-":
            return 0
        if kind == "regtype":
            return self._type_named(text.strip(), path)
        parts = split_name(text.partition("(")[0])
        if kind == "regnamespace":
            return self._schema_oids.get(parts[-1]) if len(parts) == 1 else None
        table = _CLASS_OF[kind]
        schema = parts[-2] if len(parts) > 1 else self._first(table, parts[-1], path)
        return self._oids[table].get((schema, parts[-1])) if schema else None

    def _type_named(self, text: str, path: Path) -> int | None:
        if text.endswith("[]"):
            of = self._type_named(text[:-2].strip(), path)
            return (self._types[of]["typarray"] or None) if of in self._types else None
        bare = re.sub(r"\s*\([\d\s,]*\)", "", text)
        lower = " ".join(bare.lower().split())
        for stored, spoken in _SPOKEN.items():
            if lower == spoken:
                return self._oids["pg_type"]["pg_catalog", stored]
        parts = [_ALSO_SPOKEN.get(lower, lower)] if lower in _ALSO_SPOKEN else split_name(bare)
        schema = parts[-2] if len(parts) > 1 else self._first("pg_type", parts[-1], path)
        return self._oids["pg_type"].get((schema, parts[-1])) if schema else None

    def name_of(self, kind: str, oid: int | None, path: Path) -> str | None:
        """How PostgreSQL shows a ``reg...`` value: its name, qualified where the bare one would find something else."""
        if oid is None:
            return None
        if oid == 0:
            return "-"
        if kind == "regtype":
            return self.format_type(oid, None, path) if oid in self._types else str(oid)
        if kind == "regnamespace":
            return quote_ident(self._schemas[oid]) if oid in self._schemas else str(oid)
        table = _CLASS_OF[kind]
        if oid not in self._names[table]:
            return str(oid)
        schema, name = self._names[table][oid]
        shown = quote_ident(name)
        if self._first(table, name, path) != schema:
            shown = f"{quote_ident(schema)}.{shown}"
        return f"{shown}({self._defined.get(('identity arguments', oid), '')})" if kind == "regprocedure" else shown

    # -- what is said of things -----------------------------------------------------------------------------------

    def description(self, oid: int | None, catalogue: str | None, column: int | None) -> str | None:
        """A comment, of whatever has the oid or of something in one catalogue."""
        if oid is None or column is None:
            return None
        found = self._descriptions.get((oid, column), {})
        if catalogue is None:
            return next(iter(found.values()), None)
        return found.get(self._oids["pg_class"].get(("pg_catalog", catalogue), -1))

    def definition(self, kind: str, oid: int | None) -> str | None:
        """The text that a thing of the lake's was made by; None for what is PostgreSQL's own."""
        return None if oid is None else self._defined.get((kind, oid))

    def index_definition(self, oid: int | None, column: int | None) -> str | None:
        """An index, or with a column's number that column's name."""
        if oid is None or column is None:
            return None
        columns = self._index_columns.get(oid, [])
        if column:
            return columns[column - 1] if 0 < column <= len(columns) else ""
        return self._defined.get(("index", oid))

    def size_of(self, oid: int | None) -> int | None:
        """Bytes of a table's files; of all, for 0."""
        return None if oid is None else sum(self._sizes.values()) if oid == 0 else self._sizes.get(oid, 0)


def _modified(spoken: str, name: str, modifier: int | None) -> str:
    """A type with the modifier that its typmod stands for."""
    if modifier is None and name == "bpchar":
        return spoken
    if modifier is None or modifier < 0:
        return "bpchar" if name == "bpchar" and modifier is not None else spoken
    if name in ("varchar", "bpchar"):
        return f"{spoken}({modifier - 4})"
    if name == "numeric":
        return f"{spoken}({(modifier - 4) >> 16 & 0xFFFF},{(modifier - 4) & 0x7FF})"
    if name in ("bit", "varbit"):
        return f"{spoken}({modifier})"
    if name in ("time", "timetz", "timestamp", "timestamptz"):
        first, _, rest = spoken.partition(" ")
        return f"{first}({modifier}) {rest}"
    return spoken


def split_name(text: str) -> list[str]:
    """The parts of a qualified name; those without quotes in lower case."""
    return [
        quoted.replace('""', '"') if bare == "" and quoted is not None else bare.lower()
        for quoted, bare in _PARTS.findall(text)
    ] or [""]


def fold_name(text: str | None) -> str | None:
    """A name as it is looked up."""
    return None if text is None else split_name(text)[-1]


def quote_literal(text: str | None) -> str | None:
    """A text as SQL must write it."""
    if text is None:
        return None
    quoted = "'" + text.replace("'", "''").replace("\\", "\\\\") + "'"
    return f"E{quoted}" if "\\" in text else quoted


def pretty_size(size: int | None) -> str | None:
    """Bytes as PostgreSQL tells them: in the largest unit that leaves at most five digits, rounded half up."""
    if size is None:
        return None
    units = ["bytes", "kB", "MB", "GB", "TB", "PB"]
    half, sign = abs(size) * 2, -1 if size < 0 else 1
    while len(units) > 1 and half >= 20_480:
        half //= 1024
        units.pop(0)
    return f"{sign * ((half + 1) // 2 if units[0] != 'bytes' else half // 2)} {units[0]}"


def format_text(template: str | None, given: list[str | None] | None) -> str | None:
    """PostgreSQL's ``format``: %s, %I and %L, with positions and widths."""
    if template is None:
        return None
    values, used = given or [], 0

    def one(match: re.Match[str]) -> str:
        nonlocal used
        position, flags, width, kind = match.groups()
        if kind == "%":
            return "%"
        used = int(position[:-1]) if position else used + 1
        value = values[used - 1] if 0 < used <= len(values) else None
        text = {"s": value or "", "I": quote_ident(value or ""), "L": quote_literal(value) or "NULL"}[kind]
        size = int(width or 0)
        return text.ljust(size) if flags else text.rjust(size)

    return re.sub(r"%(\d+\$)?(-?)(\d*)([sIL%])", one, template)
