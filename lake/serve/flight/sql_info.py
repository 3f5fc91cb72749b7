"""What kind of SQL the server speaks (``GetSqlInfo``), and the types it has (``GetXdbcTypeInfo``)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa

from ....version import __version__
from .metadata import CATALOG

_STRINGS = pa.list_(pa.field("string_data", pa.string()))
_CONVERSIONS = pa.map_(pa.int32(), pa.list_(pa.field("$data$", pa.int32())))
_KINDS: tuple[tuple[str, pa.DataType], ...] = (
    ("string_value", pa.string()),
    ("bool_value", pa.bool_()),
    ("bigint_value", pa.int64()),
    ("int32_bitmask", pa.int32()),
    ("string_list", _STRINGS),
    ("int32_to_int32_list_map", _CONVERSIONS),
)
SQL_INFO = pa.schema(
    [
        pa.field("info_name", pa.uint32(), nullable=False),
        pa.field("value", pa.dense_union([pa.field(name, kind) for name, kind in _KINDS]), nullable=False),
    ]
)
TEXT, FLAG, LONG, BITS, LIST, MAP = range(len(_KINDS))

# Functions of the call-level interface by kind; those that DuckDB has are told.
_NUMERIC = [
    "abs",
    "acos",
    "asin",
    "atan",
    "atan2",
    "ceiling",
    "ceil",
    "cos",
    "cot",
    "degrees",
    "exp",
    "floor",
    "log",
    "log10",
    "log2",
    "ln",
    "mod",
    "pi",
    "power",
    "radians",
    "random",
    "round",
    "sign",
    "sin",
    "sqrt",
    "tan",
    "truncate",
    "trunc",
]
_STRING = [
    "ascii",
    "chr",
    "char_length",
    "character_length",
    "concat",
    "concat_ws",
    "contains",
    "instr",
    "left",
    "length",
    "lower",
    "lpad",
    "ltrim",
    "position",
    "repeat",
    "replace",
    "reverse",
    "right",
    "rpad",
    "rtrim",
    "starts_with",
    "strpos",
    "substring",
    "substr",
    "trim",
    "upper",
]
_SYSTEM = [
    "coalesce",
    "current_catalog",
    "current_database",
    "current_schema",
    "current_user",
    "ifnull",
    "nullif",
    "user",
    "version",
]
_DATETIME = [
    "century",
    "current_date",
    "current_time",
    "current_timestamp",
    "date_diff",
    "date_part",
    "date_trunc",
    "datediff",
    "day",
    "dayname",
    "dayofmonth",
    "dayofweek",
    "dayofyear",
    "epoch",
    "extract",
    "hour",
    "last_day",
    "minute",
    "month",
    "monthname",
    "now",
    "quarter",
    "second",
    "strftime",
    "strptime",
    "timezone",
    "week",
    "weekday",
    "year",
]

# Families of types that can be cast into one another, by SqlSupportsConvert's numbers.
_BIGINT, _BINARY, _BIT, _CHAR, _DATE, _DECIMAL, _FLOAT, _INTEGER = range(8)
_NUMERIC_, _REAL, _SMALLINT, _TIME, _TIMESTAMP, _TINYINT, _VARBINARY, _VARCHAR = range(12, 20)
_NUMBERS = [_BIGINT, _BIT, _DECIMAL, _FLOAT, _INTEGER, _NUMERIC_, _REAL, _SMALLINT, _TINYINT]
_TEXTS = [_CHAR, _VARCHAR]
_CASTS: dict[int, list[int]] = {
    **{one: sorted([*_NUMBERS, *_TEXTS]) for one in _NUMBERS},
    **{one: list(range(20)) for one in _TEXTS},
    _DATE: sorted([*_TEXTS, _DATE, _TIMESTAMP]),
    _TIME: sorted([*_TEXTS, _TIME]),
    _TIMESTAMP: sorted([*_TEXTS, _DATE, _TIME, _TIMESTAMP]),
    _BINARY: sorted([*_TEXTS, _BINARY, _VARBINARY]),
    _VARBINARY: sorted([*_TEXTS, _BINARY, _VARBINARY]),
}


@cache
def _names(query: str) -> tuple[str, ...]:
    with duckdb.connect() as con:
        return tuple(name for (name,) in con.execute(query).fetchall())


def _functions(known: list[str]) -> list[str]:
    has = set(_names("select distinct function_name from duckdb_functions()"))
    has |= {"coalesce", "extract", "position", "current_date", "current_time", "current_timestamp", "ifnull"}  # syntax
    return sorted(name.upper() for name in known if name in has)


def facts(statement_ms: int, transaction_ms: int, most_statements: int) -> dict[int, tuple[int, Any]]:
    """Number of SqlInfo -> which of the union's kinds, and the value."""
    told: dict[int, tuple[int, Any]] = {
        0: (TEXT, "brainlake"), 1: (TEXT, __version__), 2: (TEXT, pa.__version__),
        3: (FLAG, True),  # read-only
        4: (FLAG, True), 5: (FLAG, False),  # SQL; no Substrait
        8: (BITS, 1), 9: (FLAG, True),  # transactions without savepoints; queries can be cancelled
        100: (BITS, statement_ms), 101: (BITS, transaction_ms),
        500: (FLAG, False), 501: (FLAG, False), 502: (FLAG, False),  # nothing is created or dropped
        503: (BITS, 1), 504: (TEXT, '"'), 505: (BITS, 1),  # names are case-insensitive, quoted or not
        506: (FLAG, True), 507: (BITS, 3),  # NULLs come last, whichever the order
        508: (LIST, sorted(n.upper() for n in _names(
            "select keyword_name from duckdb_keywords() where keyword_category <> 'unreserved'"))),
        509: (LIST, _functions(_NUMERIC)), 510: (LIST, _functions(_STRING)),
        511: (LIST, _functions(_SYSTEM)), 512: (LIST, _functions(_DATETIME)),
        513: (TEXT, "\\"), 514: (TEXT, "$"),
        515: (FLAG, True), 516: (FLAG, True), 517: (MAP, list(_CASTS.items())),
        518: (FLAG, True), 519: (FLAG, False), 520: (FLAG, True), 521: (FLAG, True), 522: (BITS, 0b11),
        523: (FLAG, True), 524: (FLAG, True), 525: (BITS, 0b111), 526: (BITS, 0b11),
        527: (FLAG, False), 528: (BITS, 2),  # no constraints are enforced; all outer joins
        529: (TEXT, "schema"), 530: (TEXT, "macro"), 531: (TEXT, "catalog"), 532: (FLAG, True),
        533: (BITS, 0), 534: (BITS, 0), 535: (BITS, 0), 536: (FLAG, False), 537: (FLAG, False),
        538: (BITS, 0b1111), 539: (FLAG, True), 540: (BITS, 0b11),
        **dict.fromkeys(range(541, 562), (LONG, 0)),  # no limit that is known
        554: (LONG, len(CATALOG)),
        556: (FLAG, True), 558: (LONG, most_statements),
        562: (BITS, 3), 563: (FLAG, True), 564: (BITS, 1 << 3),  # repeatable read: one snapshot
        565: (FLAG, False), 566: (FLAG, False),
        567: (BITS, 0b10), 568: (BITS, 0), 569: (BITS, 0b10), 570: (BITS, 0), 571: (BITS, 0),  # forward only
        572: (FLAG, False), 573: (FLAG, False), 574: (FLAG, False), 575: (FLAG, False), 576: (FLAG, False),
    }  # fmt: skip
    return told


def sql_info(told: dict[int, tuple[int, Any]], asked: Iterable[int]) -> pa.Table:
    """Facts by number; all where none is asked for. A number that nobody knows gives no row."""
    wanted = [number for number in (list(dict.fromkeys(asked)) or told) if number in told]
    children: list[list[Any]] = [[] for _ in _KINDS]
    kinds, places = [], []
    for number in wanted:
        kind, value = told[number]
        kinds.append(kind)
        places.append(len(children[kind]))
        children[kind].append(value)
    arrays = [pa.array(values, type_) for values, (_, type_) in zip(children, _KINDS, strict=True)]
    union = pa.UnionArray.from_dense(
        pa.array(kinds, pa.int8()), pa.array(places, pa.int32()), arrays, [name for name, _ in _KINDS]
    )
    return pa.Table.from_arrays([pa.array(wanted, pa.uint32()), union], schema=SQL_INFO)


_N, _I, _B = pa.string(), pa.int32(), pa.bool_()
XDBC_TYPES = pa.schema(
    [
        pa.field("type_name", _N, nullable=False), pa.field("data_type", _I, nullable=False),
        pa.field("column_size", _I), pa.field("literal_prefix", _N), pa.field("literal_suffix", _N),
        pa.field("create_params", pa.list_(pa.field("item", _N, nullable=False))),
        pa.field("nullable", _I, nullable=False), pa.field("case_sensitive", _B, nullable=False),
        pa.field("searchable", _I, nullable=False), pa.field("unsigned_attribute", _B),
        pa.field("fixed_prec_scale", _B, nullable=False), pa.field("auto_increment", _B),
        pa.field("local_type_name", _N), pa.field("minimum_scale", _I), pa.field("maximum_scale", _I),
        pa.field("sql_data_type", _I, nullable=False), pa.field("datetime_subcode", _I),
        pa.field("num_prec_radix", _I), pa.field("interval_precision", _I),
    ]
)  # fmt: skip
_NULLABLE, _ANY_OPERATOR, _NO_LIKE = 1, 3, 2
# name, JDBC's number, size, base of the size (10: digits, 2: bits), unsigned, quotes, generic number and its subcode
_TYPES: tuple[tuple[str, int, int | None, int | None, bool | None, str | None, tuple[int, int] | None], ...] = (
    ("BIT", -7, None, None, None, "'", None),
    ("BOOLEAN", -7, 1, None, None, None, None),
    ("TINYINT", -6, 3, 10, False, None, None),
    ("UTINYINT", -6, 3, 10, True, None, None),
    ("BIGINT", -5, 19, 10, False, None, None),
    ("UBIGINT", -5, 20, 10, True, None, None),
    ("BLOB", -3, None, None, None, "'", None),
    ("DECIMAL", 3, 38, 10, False, None, None),
    ("INTEGER", 4, 10, 10, False, None, None),
    ("UINTEGER", 4, 10, 10, True, None, None),
    ("SMALLINT", 5, 5, 10, False, None, None),
    ("USMALLINT", 5, 5, 10, True, None, None),
    ("FLOAT", 7, 24, 2, False, None, None),
    ("DOUBLE", 8, 53, 2, False, None, None),
    ("VARCHAR", 12, None, None, None, "'", None),
    ("UUID", 12, 36, None, None, "'", None),
    ("DATE", 91, 10, None, None, "'", (9, 1)),
    ("TIME", 92, 15, None, None, "'", (9, 2)),
    ("TIMESTAMP", 93, 26, None, None, "'", (9, 3)),
    ("TIMESTAMP WITH TIME ZONE", 93, 32, None, None, "'", (9, 5)),
)


def xdbc_types(data_type: int | None) -> pa.Table:
    """The scalar types of DuckDB as JDBC and ODBC describe types; all, or those of one of their numbers."""
    rows = []
    for name, number, size, radix, unsigned, quote, generic in sorted(_TYPES, key=lambda one: (one[1], one[0])):
        if data_type is not None and number != data_type:
            continue
        is_text = name == "VARCHAR"
        rows.append(
            {
                "type_name": name, "data_type": number, "column_size": size, "literal_prefix": quote,
                "literal_suffix": quote, "create_params": ["precision", "scale"] if name == "DECIMAL" else None,
                "nullable": _NULLABLE, "case_sensitive": is_text,
                "searchable": _ANY_OPERATOR if is_text else _NO_LIKE, "unsigned_attribute": unsigned,
                "fixed_prec_scale": False, "auto_increment": None if unsigned is None else False,
                "local_type_name": name, "minimum_scale": 0 if radix == 10 else None,
                "maximum_scale": 37 if name == "DECIMAL" else 0 if radix == 10 else None,
                "sql_data_type": generic[0] if generic else number,
                "datetime_subcode": generic[1] if generic else None, "num_prec_radix": radix,
                "interval_precision": None,
            }
        )  # fmt: skip
    return pa.Table.from_pylist(rows, XDBC_TYPES)
