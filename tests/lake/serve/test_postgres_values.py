"""Values on the wire: each type in text and in binary, to the client and from it, against PostgreSQL's own formats."""

from __future__ import annotations

import datetime as dt
import json
import math
import struct
import uuid
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import brainlake
import duckdb
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from brainlake.lake.serve.postgres import lexing, rows, types, values
from brainlake.lake.serve.postgres.errors import PgError
from brainlake.lake.serve.postgres.server import SETTINGS, Server
from brainlake.lake.serve.snapshots import Snapshots
from brainlake.tests.fixtures.pg_wire import Reply, Wire, bind, describe, execute, parse
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    path = Path(tmp_path_factory.mktemp("values")) / "lake"
    with brainlake.create(path) as lake:
        lake.write("lab.t", pl.DataFrame({"a": [1, 2, 3]}), key="a")
    with Snapshots(path, settings=SETTINGS) as snapshots, Server(snapshots, port=0) as server:
        yield server


@pytest.fixture(scope="module")
def wire(server: Server) -> Iterator[Wire]:
    with Wire(server.port) as wire:
        yield wire


def numeric(sign: int, weight: int, scale: int, *digits: int) -> bytes:
    return struct.pack(f"!HhHH{len(digits)}H", len(digits), weight, sign, scale, *digits)


def array(oid: int, *items: bytes | None, first: int = 1) -> bytes:
    head = struct.pack("!iiIii", 1, int(None in items), oid, len(items), first)
    return head + b"".join(struct.pack("!i", -1) if i is None else struct.pack("!i", len(i)) + i for i in items)


DAY = 86_400_000_000
INFINITE = 2**63 - 1

# SQL, oid, text, binary: texts are what PostgreSQL 15 prints (floats aside, which keep DuckDB's ".0"), binary by the
# *send functions of its source, written out by hand.
CASES: list[tuple[str, int, str, bytes]] = [
    ("true", 16, "t", b"\1"),
    ("false", 16, "f", b"\0"),
    ("(-5)::tinyint", 21, "-5", struct.pack("!h", -5)),
    ("200::utinyint", 21, "200", struct.pack("!h", 200)),
    ("(-32768)::smallint", 21, "-32768", struct.pack("!h", -32768)),
    ("65535::usmallint", 23, "65535", struct.pack("!i", 65535)),
    ("-7", 23, "-7", struct.pack("!i", -7)),
    ("4294967295::uinteger", 20, "4294967295", struct.pack("!q", 4294967295)),
    ("(-9223372036854775808)::bigint", 20, "-9223372036854775808", struct.pack("!q", -(2**63))),
    ("18446744073709551615::ubigint", 1700, "18446744073709551615", numeric(0, 4, 0, 1844, 6744, 737, 955, 1615)),
    ("sum(10000)", 1700, "10000", numeric(0, 1, 0, 1)),
    ("12.50::decimal(5,2)", 1700, "12.50", numeric(0, 0, 2, 12, 5000)),
    ("(-0.0001)::decimal(8,4)", 1700, "-0.0001", numeric(0x4000, -1, 4, 1)),
    ("0::decimal(8,4)", 1700, "0.0000", numeric(0, 0, 4)),
    ("(-170141183460469231731687303715884105728)::hugeint", 1700, "-170141183460469231731687303715884105728",
     numeric(0x4000, 9, 0, 170, 1411, 8346, 469, 2317, 3168, 7303, 7158, 8410, 5728)),
    ("1.5::float", 700, "1.5", struct.pack("!f", 1.5)),
    ("(-2.25)::double", 701, "-2.25", struct.pack("!d", -2.25)),
    ("1e300::double", 701, "1e+300", struct.pack("!d", 1e300)),
    ("'nan'::double", 701, "NaN", struct.pack("!d", math.nan)),
    ("'inf'::double", 701, "Infinity", struct.pack("!d", math.inf)),
    ("'-inf'::float", 700, "-Infinity", struct.pack("!f", -math.inf)),
    ("'naïve ''q'' \\ \"x\"'", 25, "naïve 'q' \\ \"x\"", "naïve 'q' \\ \"x\"".encode()),
    ("''", 25, "", b""),
    ("'\\x00\\xFF'::blob", 17, "\\x00ff", b"\x00\xff"),
    ("''::blob", 17, "\\x", b""),
    ("date '2000-01-01'", 1082, "2000-01-01", struct.pack("!i", 0)),
    ("date '1969-07-20'", 1082, "1969-07-20", struct.pack("!i", -11122)),
    ("date '0044-03-15 (BC)'", 1082, "0044-03-15 BC", struct.pack("!i", -746_117)),
    ("date 'infinity'", 1082, "infinity", struct.pack("!i", 2**31 - 1)),
    ("date '-infinity'", 1082, "-infinity", struct.pack("!i", -(2**31))),
    ("timestamp '2000-01-02 00:00:01.5'", 1114, "2000-01-02 00:00:01.5", struct.pack("!q", DAY + 1_500_000)),
    ("timestamp '1999-12-31 23:59:59'", 1114, "1999-12-31 23:59:59", struct.pack("!q", -1_000_000)),
    ("timestamp 'infinity'", 1114, "infinity", struct.pack("!q", INFINITE)),
    ("timestamp '-infinity'", 1114, "-infinity", struct.pack("!q", -INFINITE - 1)),
    ("timestamp_ns '2000-01-01 00:00:00.000001499'", 1114, "2000-01-01 00:00:00.000001", struct.pack("!q", 1)),
    ("timestamptz '2000-01-01 01:00:00+01'", 1184, "2000-01-01 00:00:00+00", struct.pack("!q", 0)),
    ("time '01:02:03.000004'", 1083, "01:02:03.000004", struct.pack("!q", 3_723_000_004)),
    ("interval '1 year 2 months 3 days 4 seconds'", 1186, "1 year 2 mons 3 days 00:00:04",
     struct.pack("!qii", 4_000_000, 3, 14)),
    ("interval '-1 month'", 1186, "-1 mons", struct.pack("!qii", 0, 0, -1)),
    ("'00000000-0000-4000-8000-0000000000ff'::uuid", 2950, "00000000-0000-4000-8000-0000000000ff",
     uuid.UUID("00000000-0000-4000-8000-0000000000ff").bytes),
    ("'a'::enum('a', 'b')", 25, "a", b"a"),
    ("'101'::bit", 25, "101", b"101"),
    ("'{\"a\": [1, null]}'::json", 114, '{"a": [1, null]}', b'{"a": [1, null]}'),
    ("{'a': 1, 'b': 'x\"y'}", 114, '{"a":1,"b":"x\\"y"}', b'{"a":1,"b":"x\\"y"}'),
    ("{'a': 'nan'::double, 'b': [1.5::float, '-inf'::float]}", 114, '{"a":"NaN","b":[1.5,"-Infinity"]}',
     b'{"a":"NaN","b":[1.5,"-Infinity"]}'),
    ("map {'k': [1.0::double], 'l': null}", 114, '{"k":[1.0],"l":null}', b'{"k":[1.0],"l":null}'),
    ("[[1, 2], [3], null, []]", 114, "[[1,2],[3],null,[]]", b"[[1,2],[3],null,[]]"),
    ("[{'a': 1.5::double}]", 114, '[{"a":1.5}]', b'[{"a":1.5}]'),
    ("[1, null, 3]::bigint[]", 1016, "{1,NULL,3}",
     array(20, struct.pack("!q", 1), None, struct.pack("!q", 3))),
    ("[1.5::double, 'nan'::double, 'inf'::double]", 1022, "{1.5,NaN,Infinity}",
     array(701, struct.pack("!d", 1.5), struct.pack("!d", math.nan), struct.pack("!d", math.inf))),
    ("[true, false]", 1000, "{t,f}", array(16, b"\1", b"\0")),
    ("['a b', '', 'NULL', 'q\"\\', null, 'x,{}']", 1009, '{"a b","","NULL","q\\"\\\\",NULL,"x,{}"}',
     array(25, b"a b", b"", b"NULL", b'q"\\', None, b"x,{}")),
    ("[]::integer[]", 1007, "{}", struct.pack("!iiI", 0, 0, 23)),
    ("[1, 2]::integer[2]", 1007, "{1,2}", array(23, struct.pack("!i", 1), struct.pack("!i", 2))),
    ("[date '2000-01-02', null]", 1182, "{2000-01-02,NULL}", array(1082, struct.pack("!i", 1), None)),
    ("[timestamp '2000-01-01 00:00:01']", 1115, '{"2000-01-01 00:00:01"}', array(1114, struct.pack("!q", 1_000_000))),
    ("['\\x01'::blob]", 1001, '{"\\\\x01"}', array(17, b"\x01")),
    ("[1.5::decimal(4,2)]", 1231, "{1.50}", array(1700, numeric(0, 0, 2, 1, 5000))),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "oid", "text", "binary"), CASES, ids=[case[0][:40] for case in CASES])
def test_a_value_is_sent_as_postgresql_sends_it(wire: Wire, sql: str, oid: int, text: str, binary: bytes) -> None:
    query = f"select {sql} as x, null::integer as n"
    reply = wire.query(query)
    assert reply.columns == [("x", oid, 0), ("n", 23, 0)]
    assert reply.rows == [[text, None]]
    assert wire.ask(query).rows == [[text, None]]
    reply = wire.query(query, binary=True)
    assert reply.columns == [("x", oid, 1), ("n", 23, 1)]
    assert reply.raw == [[binary, None]]


@pytest.mark.parametrize(("sql", "oid", "text", "binary"), CASES, ids=[case[0][:40] for case in CASES])
def test_a_value_that_was_sent_comes_back_the_same(wire: Wire, sql: str, oid: int, text: str, binary: bytes) -> None:
    """Bound as a parameter, in text and in binary, it gives the same bytes again."""
    if (
        oid not in types.BY_OID
        or "decimal" in sql
        or "hugeint" in sql
        or "ubigint" in sql
        or "(BC)" in sql
        or "sum" in sql
    ):
        pytest.skip("numeric and json parameters have their own tests")
    kind = types.duckdb_of(types.BY_OID[oid])
    for value, fmt in ((text.encode(), 0), (binary, 1)):
        reply = wire.extended(
            parse(f"select $1::{kind} as x", oids=[oid]), bind([value], [fmt], [1]), describe("P"), execute()
        )
        assert not reply.errors, reply.errors
        assert reply.raw == [[binary]]
        assert reply.columns == [("x", oid, 1)]


def test_null_is_null_in_every_type_and_format(wire: Wire) -> None:
    kinds = ["boolean", "smallint", "bigint", "double", "hugeint", "varchar", "blob", "date", "timestamp", "interval",
             "uuid", "bigint[]", "varchar[]", "struct(a integer)", "integer[][]", "map(varchar, double)"]  # fmt: skip
    sql = (
        "select "
        + ", ".join(f"null::{kind}" for kind in kinds)
        + " union all select "
        + ", ".join(["null"] * len(kinds))
    )
    for binary in (False, True):
        assert wire.query(sql, binary=binary).raw == [[None] * len(kinds)] * 2


@pytest.mark.parametrize("text", ["0", "-1", "123.450", "99999999999999999999.000001", "0.00001", "1e5", "NaN"])
def test_a_number_of_any_scale_is_a_parameter(wire: Wire, text: str) -> None:
    reply = wire.query("select $1 as x", text.encode(), oids=[1700])
    assert Decimal(reply.rows[0][0] or "") == Decimal(text) or text == "NaN"
    assert reply.columns[0][1] in (1700, 701, 23, 20)


def test_formats_may_differ_from_column_to_column(wire: Wire) -> None:
    reply = wire.extended(parse("select 1, 'a', 2::bigint"), bind(results=[1, 0, 1]), describe("P"), execute())
    assert reply.raw == [[struct.pack("!i", 1), b"a", struct.pack("!q", 2)]]
    assert [fmt for _, _, fmt in reply.columns] == [1, 0, 1]


def test_many_rows_of_every_shape_come_whole(wire: Wire) -> None:
    """Batches, NULLs and lengths that change within them."""
    sql = """select i, case when i % 3 = 0 then null else repeat('é', i % 50) end,
                    case when i % 7 = 0 then null else range(i % 5) end, case when i % 11 = 0 then null else i / 4 end
             from range(20001) t(i) order by i"""

    def expected(i: int) -> list[Any]:
        return [i, None if i % 3 == 0 else "é" * (i % 50), None if i % 7 == 0 else list(range(i % 5)),
                None if i % 11 == 0 else i / 4]  # fmt: skip

    found = wire.query(sql, binary=True).raw
    assert len(found) == 20001
    for i, row in enumerate(found):
        given = [values.decode(v, 1, types.BY_OID[oid]) for v, oid in zip(row, (20, 25, 1016, 701), strict=True)]
        assert given == expected(i)
    for i, texts in enumerate(wire.ask(sql).rows):
        want = expected(i)
        assert texts[:2] == [str(i), want[1]]
        assert texts[2] == (None if want[2] is None else "{" + ",".join(map(str, want[2])) + "}")
        assert (None if texts[3] is None else float(texts[3])) == want[3]


def test_a_row_of_many_megabytes_is_sent(wire: Wire) -> None:
    reply = wire.ask("select repeat('x', 20_000_000) as big, [i for i in range(100000)] as list")
    assert len(reply.rows[0][0] or "") == 20_000_000
    assert (reply.rows[0][1] or "").count(",") == 99_999


def test_json_of_postgresql_is_json(wire: Wire) -> None:
    """Texts with quotes, newlines and words that look like numbers' names stay texts."""
    reply = wire.ask("select {'a': 'NaN, \"Infinity\"' || chr(10), 'b': ['nan'::double, null], 'c,NaN': 1.0::float}")
    assert json.loads(reply.rows[0][0] or "") == {"a": 'NaN, "Infinity"\n', "b": ["NaN", None], "c,NaN": 1.0}


# -- the pieces -------------------------------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30))
def test_a_numeric_is_read_as_it_was_written(value: Decimal) -> None:
    found = values.decode(rows.numeric(f"{value:f}"), 1, types.NUMERIC)
    assert found == pytest.approx(float(value)) if isinstance(found, float) else Decimal(found) == value


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))))
def test_an_array_s_text_is_read_as_duckdb_writes_it(items: list[str | None]) -> None:
    from brainlake.lake.serve.postgres import cells

    with duckdb.connect() as con:
        bound = con.sql("select $1::varchar[] as x", params=[items])
        (kind,) = bound.types
        ((text,),) = con.execute(f"select {cells.text('x', kind)} from (select $1::varchar[] as x)", [items]).fetchall()
    assert values.decode(text.encode(), 0, types.BY_OID[1009]) == items


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
            st.one_of(st.none(), st.binary(max_size=20)),
            st.one_of(st.none(), st.lists(st.one_of(st.none(), st.floats(width=32, allow_nan=False)), max_size=5)),
        ),
        max_size=30,
    )
)
def test_rows_are_put_together_as_if_one_by_one(table: list[tuple[Any, ...]]) -> None:
    kinds = (pa.int64(), pa.binary(), pa.list_(pa.float32()))
    columns = [pa.array([row[i] for row in table], kind) for i, kind in enumerate(kinds)]
    batch = pa.RecordBatch.from_arrays(columns, ["a", "b", "c"])
    found = rows.data_rows(batch, [types.INT8, types.BYTEA, types.BY_OID[1021]], [1, 1, 1])

    def cell(value: bytes | None) -> bytes:
        return struct.pack("!i", -1) if value is None else struct.pack("!i", len(value)) + value

    def floats(items: list[float | None] | None) -> bytes | None:
        if items is None:
            return None
        if not items:
            return struct.pack("!iiI", 0, int(columns[2].values.null_count > 0), 700)
        packed = array(700, *(None if i is None else struct.pack("!f", i) for i in items))
        return struct.pack("!ii", 1, int(columns[2].values.null_count > 0)) + packed[8:]

    assert len(found) == len(table)
    for i, (a, b, c) in enumerate(table):
        body = struct.pack("!H", 3) + cell(None if a is None else struct.pack("!q", a)) + cell(b) + cell(floats(c))
        assert bytes(found.part(i, i + 1)) == b"D" + struct.pack("!i", len(body) + 4) + body


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=60), st.sampled_from(sorted(types.BY_OID)), st.integers(0, 1))
def test_any_bytes_are_a_value_or_a_clear_error(raw: bytes, oid: int, fmt: int) -> None:
    try:
        values.decode(raw, fmt, types.BY_OID[oid])
    except PgError as error:
        assert error.code[:2] == "22"  # noqa: PT017


@settings(max_examples=500, deadline=None)
@given(st.text(alphabet="ab'\"$;-/*\\eE \n1x_", max_size=40))
def test_cutting_a_text_into_statements_loses_and_adds_nothing(text: str) -> None:
    """Each part stands in the text where it says, in order, and nothing but spaces, comments and semicolons is left."""
    end = 0
    for part in lexing.split(text):
        assert text[part.start : part.start + len(part.text)] == part.text
        assert part.start >= end
        end = part.start + len(part.text)
        for token in part.tokens:
            assert part.text[token.start : token.end] == token.text
        assert ";" not in [t.text for t in part.tokens]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("select ';'; select 2", ["select ';'", "select 2"]),
        ("select e'\\';'; x", ["select e'\\';'", "x"]),
        ("select $a$;$b$;$a$; y", ["select $a$;$b$;$a$", "y"]),
        ('select "a"";" ; z', ['select "a"";"', "z"]),
        ("-- a;b\nselect 1 -- c;\n;", ["select 1"]),
        ("/* a /* ; */ ; */ select 1 /* ; */", ["select 1"]),
        ("select 'a\\'; select 2", ["select 'a\\'", "select 2"]),  # a backslash is itself in plain strings
        ("select 'open ; ", ["select 'open ; "]),
        (";;", []),
    ],
)
def test_semicolons_end_statements_where_postgresql_says(text: str, parts: list[str]) -> None:
    assert [part.text for part in lexing.split(text)] == parts


@pytest.mark.parametrize(
    ("token", "value"),
    [("'it''s'", "it's"), ("e'a\\tb\\x41\\101\\u00e9\\\\'", "a\tbAAé\\"), ("$x$a'b$x$", "a'b"), ("\"A\"\"b\"", 'A"b'),
     ("Word", "word")],
)  # fmt: skip
def test_a_token_says_what_it_means(token: str, value: str) -> None:
    (found,) = lexing.tokens(token)
    assert found.value == value


def test_types_keep_to_postgresql_s_own_numbers() -> None:
    """Numbers of pg_type.dat."""
    named = {"bool": 16, "bytea": 17, "int8": 20, "int2": 21, "int4": 23, "text": 25, "oid": 26, "json": 114,
             "float4": 700, "float8": 701, "_int8": 1016, "_text": 1009, "varchar": 1043, "date": 1082, "time": 1083,
             "timestamp": 1114, "timestamptz": 1184, "interval": 1186, "numeric": 1700, "uuid": 2950,
             "_float8": 1022, "_numeric": 1231, "_json": 199, "name": 19, "regclass": 2205}  # fmt: skip
    assert {name: types.BY_NAME[name].oid for name in named} == named
    assert types.oid_of("DECIMAL(18,3)").modifier == (18 << 16 | 3) + 4


def as_python(reply: Reply) -> list[list[Any]]:
    oids = [oid for _, oid, _ in reply.columns]
    return [
        [values.decode(v, fmt, types.BY_OID[oid]) for v, oid, (_, _, fmt) in zip(row, oids, reply.columns, strict=True)]
        for row in reply.raw
    ]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.floats(allow_nan=False)), min_size=1, max_size=5),
    st.datetimes(dt.datetime(1, 1, 1), dt.datetime(9999, 12, 31)),
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20),
)
def test_what_is_bound_in_binary_comes_back(
    wire: Wire, floats: list[float | None], moment: dt.datetime, text: str
) -> None:
    sent = [
        array(701, *(None if f is None else struct.pack("!d", f) for f in floats)),
        struct.pack("!q", (moment - dt.datetime(2000, 1, 1)) // dt.timedelta(microseconds=1)),
        text.encode(),
    ]
    reply = wire.extended(
        parse("select $1 as a, $2 as b, $3 as c", oids=[1022, 1114, 25]), bind(sent, [1], [1]), describe("P"), execute()
    )
    assert not reply.errors, reply.errors
    assert reply.raw == [sent]


def test_a_column_that_is_all_null_has_no_buffer_to_read() -> None:
    batch = pa.RecordBatch.from_arrays([pa.nulls(3, pa.int64()), pa.array(["a", None, ""])], ["a", "b"])
    found = rows.data_rows(batch, [types.INT8, types.TEXT], [1, 0])
    assert bytes(found.data)[7:11] == b"\xff\xff\xff\xff"
    assert np.diff(found.offsets).tolist() == [16, 15, 15]
