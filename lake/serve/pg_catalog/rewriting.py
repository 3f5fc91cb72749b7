"""Statements of PostgreSQL's clients about the catalogue, as DuckDB's SQL over our tables and functions of it.

Three outcomes: a query of the catalogue is translated whole, as tools write it for PostgreSQL's parser; a question to
the lake that mentions who is asking, where and of what server, or has bytes as PostgreSQL writes them, keeps its text
but for those places; all others are none of ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import ClassVar

import sqlglot.errors
from sqlglot import exp
from sqlglot.dialects.postgres import Postgres

from ...errors import QueryError
from ..postgres.lexing import Token, tokens
from .system import SystemRelation, system

# A text without any of these is not about the catalogue.
_ASKS = re.compile(
    r"\bpg_|information_schema|\breg(?:class|type|proc|procedure|namespace|role)\b|\bto_reg|\bversion\b"
    r"|\bcurrent_(?:user|role|schema|schemas|catalog|database|setting)\b|\bsession_user\b|\buser\b|\bset_config\b"
    r"|\binet_(?:server|client)_|\btxid_current|\bhas_\w+_privilege\b|\bformat_type\b|\b(?:sh)?obj_description\b"
    r"|\bbytea\b|\bcol_description\b|\bquote_(?:ident|literal|nullable)\b|\bgetdatabaseencoding\b|\bgetpgusername\b",
    re.IGNORECASE,
)
_HEX = re.compile(r"\\x(?:[0-9a-fA-F]{2})*")  # how PostgreSQL writes bytes
_REG = ("regclass", "regtype", "regproc", "regprocedure", "regnamespace", "regrole")

# What a type is cast to where DuckDB has no type of its name.
_CASTS = {
    **dict.fromkeys(("oid", "xid", "cid", "xid8", "regoper", "regoperator", "regconfig", "regdictionary"), "bigint"),
    "regcollation": "bigint",
    **dict.fromkeys(("name", "char", "cstring", "inet", "pg_node_tree", "aclitem", "unknown"), "text"),
    **dict.fromkeys(("sql_identifier", "character_data", "yes_or_no"), "text"),
    "cardinal_number": "integer",
    "int2vector": "smallint[]",
    "oidvector": "bigint[]",
    "time_stamp": "timestamptz",
}
_VECTORS = frozenset(("int2vector", "oidvector"))  # arrays that count from 0, and are shown without braces
_SET_OF_SCALARS = frozenset(("unnest", "generate_series", "generate_subscripts"))
_HIDDEN = {"xmin": "1", "xmax": "0", "cmin": "0", "cmax": "0", "ctid": "(0,1)"}

CONSTANTS = ("version", "txid_current", "pg_postmaster_start_time")  # functions that catalogue.py makes

# Words that stand for the client, also in questions to the lake.
_WORDS = frozenset(("current_user", "session_user", "current_role", "current_catalog", "current_schema"))
_CALLS = _WORDS | {
    "version", "current_database", "pg_backend_pid", "current_setting", "pg_is_in_recovery", "getpgusername",
    "inet_server_addr", "inet_client_addr", "inet_server_port", "inet_client_port", "txid_current",
    "pg_current_xact_id", "pg_postmaster_start_time", "pg_client_encoding",
}  # fmt: skip


@dataclass(frozen=True)
class CatalogueQuery:
    """A query of the catalogue in DuckDB's SQL; ``settings``: what its set_config() calls set."""

    sql: str
    types: tuple[str | None, ...]
    settings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Mention:
    """A place in a question to the lake that stands for something of the client, or is written as DuckDB does not.

    function, given : what is called there with which arguments; "bytea": bytes, in hexadecimal
    is_column : it is a column of the result, which is called as the function
    """

    start: int
    end: int
    function: str
    given: tuple[str, ...] = ()
    is_column: bool = False


@dataclass(frozen=True)
class LakeQuestion:
    """A question to the lake with mentions of the client."""

    mentions: tuple[Mention, ...]


@lru_cache(maxsize=2048)
def translate(sql: str) -> CatalogueQuery | LakeQuestion | None:
    """What a statement is, as above. Raises QueryError for one that asks the catalogue and the lake at once."""
    if not _ASKS.search(sql):
        return None
    cut = list(tokens(sql))
    if not cut or cut[0].text.lower() not in ("select", "with", "values", "table", "("):
        return None
    try:
        trees = _dialect().parse(_spliced(sql, cut))
    except (sqlglot.errors.SqlglotError, RecursionError):
        return _mentioning(cut)
    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        return _mentioning(cut)
    tree = trees[0]
    ours, others = _relations_of(tree)
    if ours and others:
        raise QueryError(
            f"{others[0]} is the lake's and {ours[0]} the catalogue's: one query cannot ask both, so ask one after the "
            "other"
        )
    if others or not (ours or _asks_catalogue_only(tree)):
        return _mentioning(cut)
    return _Translation(tree).result()


# -- texts ------------------------------------------------------------------------------------------------------------


def _spliced(sql: str, cut: list[Token]) -> str:
    """The text without what only PostgreSQL's parser takes: ``pg_catalog.``, ``OPERATOR(...)``, types of its own."""
    pieces, kept, i = [], 0, 0

    def put(text: str, start: int, end: int) -> None:
        nonlocal kept
        pieces.extend((sql[kept:start], text))
        kept = end

    while i < len(cut):
        token = cut[i]
        ahead = [t.value for t in cut[i : i + 3]]
        after_cast = i > 0 and cut[i - 1].text == "::"
        if token.text == "::":
            i += 1
            continue
        if ahead[1:2] == ["."] and ahead[0] in ("pg_catalog", "information_schema"):
            is_type = (after_cast or ahead[0] == "pg_catalog") and not (i > 0 and cut[i - 1].text == ".")
            if is_type and len(ahead) == 3:
                name = _CASTS.get(ahead[2]) if after_cast and ahead[0] == "information_schema" else None
                put(name or "", token.start, cut[i + 2].end if name else cut[i + 2].start)
                i += 3
                continue
        if after_cast and ahead[0] in _CASTS and ahead[1:2] == ["["]:
            put(_CASTS[ahead[0]], token.start, token.end)
        elif ahead[:2] == ["operator", "("]:
            end = next((j for j in range(i + 2, len(cut)) if cut[j].text == ")"), len(cut) - 1)
            names = [j for j in range(i + 2, end) if cut[j].text == "."]
            first = names[-1] + 1 if names else i + 2
            put(f" {sql[cut[first].start : cut[end].start]} ", token.start, cut[end].end)
            i = end
        i += 1
    return "".join((*pieces, sql[kept:]))


def _mentioning(cut: list[Token]) -> LakeQuestion | None:
    """The places in a question to the lake that stand for the client."""
    found = []
    for i, token in enumerate(cut):
        name, start = token.value, i
        if token.kind == "string" and [t.text.lower() for t in cut[i + 1 : i + 3]] == ["::", "bytea"]:
            if _HEX.fullmatch(name):
                found.append(Mention(token.start, cut[i + 2].end, "bytea", (name[2:],)))
            continue
        if token.kind != "word" or name not in _CALLS:
            continue
        if i > 0 and cut[i - 1].text == ".":
            if i < 2 or cut[i - 2].value != "pg_catalog" or (i > 2 and cut[i - 3].text == "."):
                continue
            start = i - 2
        if i > 0 and cut[i - 1].value in ("as", "::"):
            continue
        end, given = i, _arguments(cut, i + 1)
        if given is not None:
            end, arguments = given
        elif name in _WORDS and not (i + 1 < len(cut) and cut[i + 1].text in (".", "(")):
            arguments = ()
        else:
            continue
        before, after = (cut[at].text.lower() if 0 <= at < len(cut) else "" for at in (start - 1, end + 1))
        depth = sum((t.text == "(") - (t.text == ")") for t in cut[:start])
        is_column = not depth and before in ("select", ",") and after in ("", ",", "from", "union", "limit", "where")
        found.append(Mention(cut[start].start, cut[end].end, name, arguments, is_column))
    return LakeQuestion(tuple(found)) if found else None


def _arguments(cut: list[Token], at: int) -> tuple[int, tuple[str, ...]] | None:
    """Where a call ends whose arguments are constants, and these."""
    if at >= len(cut) or cut[at].text != "(":
        return None
    given = []
    for i in range(at + 1, len(cut)):
        if cut[i].text == ")":
            return i, tuple(given)
        if cut[i].text == ",":
            continue
        if cut[i].kind not in ("string", "word"):
            return None
        given.append(cut[i].value)
    return None


# -- trees ------------------------------------------------------------------------------------------------------------


@cache
def macros() -> frozenset[str]:
    """Names of the functions that the catalogue has (macros.sql)."""
    text = Path(__file__).with_name("macros.sql").read_text()
    named = re.findall(r'^create macro pg\."?(\w+)"?\(', text, re.MULTILINE)
    return frozenset((*named, *CONSTANTS))


@cache
def _table_macros() -> frozenset[str]:
    text = Path(__file__).with_name("macros.sql").read_text()
    return frozenset(re.findall(r"^create macro pg\.(\w+)\([^)]*\) as table", text, re.MULTILINE))


@cache
def _dialect() -> Postgres:
    """PostgreSQL's, but that the functions which the catalogue has stay what they are called."""
    kept = {name.upper() for name in macros()} | {"UNNEST_", "GENERATE_SUBSCRIPTS"}

    class CataloguePostgres(Postgres):
        class Parser(Postgres.Parser):
            FUNCTIONS: ClassVar = {name: build for name, build in Postgres.Parser.FUNCTIONS.items() if name not in kept}

    return CataloguePostgres()


def _system_relation(table: exp.Table) -> SystemRelation | None:
    """The relation of PostgreSQL's that a table in a query names (``pg_catalog.`` is gone by now)."""
    if not isinstance(table.this, exp.Identifier) or table.meta.get("is_cte"):
        return None
    schema = _folded(table.args["db"]) if table.args.get("db") else "pg_catalog"
    return system().relations.get(f"{schema}.{_folded(table.this)}")


def _folded(name: exp.Identifier) -> str:
    return str(name.this) if name.args.get("quoted") else str(name.this).lower()


def _relations_of(tree: exp.Expression) -> tuple[list[str], list[str]]:
    """Relations of the catalogue, and others, that a query names."""
    own = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    ours, others = [], []
    for table in tree.find_all(exp.Table):
        name = table.this
        if isinstance(name, exp.Identifier):
            if not table.args.get("db") and _folded(name) in own:
                table.meta["is_cte"] = True
            elif _system_relation(table):
                ours.append(_folded(name))
            else:
                others.append(".".join(part.name for part in table.parts))
        elif isinstance(name, exp.Anonymous) and name.name.lower() in _table_macros():
            ours.append(name.name.lower())
        elif isinstance(name, exp.Anonymous) and name.name.lower() not in macros() | _SET_OF_SCALARS | {
            "_pg_expandarray"
        }:
            others.append(name.name)
    return ours, others


def _asks_catalogue_only(tree: exp.Expression) -> bool:
    """True if a query without relations calls what the catalogue can answer, and nothing of the lake's."""
    calls = list(tree.find_all(exp.Anonymous))
    if any(call.name.lower() not in macros() | _SET_OF_SCALARS or isinstance(call.parent, exp.Dot) for call in calls):
        return any(_reg_of(cast.to) for cast in tree.find_all(exp.Cast))
    if any(_ASKS.search(call.name) for call in calls) or tree.find(*_CLASSES) is not None:
        return True
    if any(_reg_of(cast.to) for cast in tree.find_all(exp.Cast)):
        return True
    # only without relations can the bare word not be a column
    is_bare = tree.find(exp.From, exp.Join) is None
    columns = tree.find_all(exp.Column)
    return is_bare and any(c.name.lower() == "user" and not c.table and not c.this.quoted for c in columns)


def _type_name(kind: exp.DataType) -> str:
    """How PostgreSQL writes the type of a cast."""
    return kind.sql("postgres").lower().strip('"')


def _reg_of(kind: exp.DataType) -> str | None:
    """The ``reg...`` type that a cast names."""
    name = _type_name(kind)
    return name if name in _REG else None


class _Translation:
    """One query of the catalogue on its way."""

    def __init__(self, tree: exp.Query) -> None:
        self._tree = tree
        self._types = system().types_of_columns
        self._settings: list[tuple[str, str]] = []

    def result(self) -> CatalogueQuery:
        self._fold_names()
        outputs = list(_outermost(self._tree))
        for select in outputs:
            self._expand_stars(select)
        self._name_columns()
        types = self._types_of(outputs)
        for select in outputs:
            self._show(select)
        self._order()
        for step in (
            self._hidden_columns, self._casts, self._comparisons, self._patterns, self._concatenations, self._subscripts, self._calls, self._relations,
            self._clauses,
        ):  # fmt: skip
            step()
        return CatalogueQuery(self._tree.sql("duckdb"), types, tuple(self._settings))

    # -- what comes out -------------------------------------------------------------------------------------------

    def _fold_names(self) -> None:
        for name in self._tree.find_all(exp.Identifier):
            if not name.args.get("quoted"):
                name.set("this", name.this.lower())
        for column in self._tree.find_all(exp.Column):
            column.set("db", None)  # information_schema.columns.table_name
            column.set("catalog", None)

    def _expand_stars(self, select: exp.Select) -> None:
        """Name the columns that stars stand for, where all are the catalogue's."""
        sources = dict(_sources(select))
        expressions: list[exp.Expression] = []
        for one in select.expressions:
            if isinstance(one, exp.Star) and not any(one.args.values()) and sources and all(sources.values()):
                if any(join.args.get("using") or join.args.get("method") for join in select.args.get("joins") or ()):
                    return
                wanted = list(sources.items())
            elif isinstance(one, exp.Column) and isinstance(one.this, exp.Star) and sources.get(one.table):
                wanted = [(one.table, sources[one.table])]
            else:
                expressions.append(one)
                continue
            for alias, relation in wanted:
                assert relation is not None
                expressions += [exp.column(c.name, table=alias, quoted=True) for c in relation.columns]
        select.set("expressions", expressions)

    def _order(self) -> None:
        """Columns come in their order where nothing else is said: PostgreSQL's do, as they lie, and tools rely on it."""
        select = self._tree
        said = ("order", "group", "distinct", "limit")
        if not isinstance(select, exp.Select) or any(select.args.get(part) for part in said):
            return
        if any(one.find(exp.AggFunc) for one in select.expressions):
            return
        for alias, relation in _sources(select):
            for column in _ORDERS.get(relation.name if relation else "", ()):
                select.order_by(exp.column(column, table=alias), copy=False)

    def _name_columns(self) -> None:
        """Unnamed columns of every level get the names that PostgreSQL gives them."""
        for select in self._tree.find_all(exp.Select):
            named: list[exp.Expression] = []
            for one in select.expressions:
                if isinstance(one, exp.Alias | exp.Star) or one.is_star or isinstance(one, exp.Aliases):
                    named.append(one)
                else:
                    named.append(exp.alias_(one, _name_of(one) or "?column?", quoted=True, copy=False))
            select.set("expressions", named)

    def _types_of(self, outputs: list[exp.Select]) -> tuple[str | None, ...]:
        """Types of the result that DuckDB does not know."""
        if len(outputs) != 1 or any(one.is_star for one in outputs[0].expressions):
            return ()
        return tuple(self._type_of(one.unalias()) for one in outputs[0].expressions)

    def _type_of(self, one: exp.Expression) -> str | None:
        if isinstance(one, exp.Column):
            kind = "oid" if one.name in ("oid", "tableoid") else self._types.get(one.name)
            return kind if kind in ("oid", "name", "char", "regproc", "regtype", "xid", *_VECTORS) else None
        if isinstance(one, exp.Cast):
            kind = _type_name(one.to)
            return kind if kind in (*_REG, "oid", "name") else None
        if isinstance(one, exp.Anonymous) and one.name.lower().startswith("to_reg"):
            return one.name.lower().removeprefix("to_")
        return "name" if isinstance(one, exp.CurrentUser | exp.SessionUser | exp.CurrentSchema) else None

    def _show(self, select: exp.Select) -> None:
        """What PostgreSQL shows by name or without braces, in the columns of the result."""
        for one in select.expressions:
            value = one.unalias()
            kind = self._type_of(value)
            if (kind in _REG and isinstance(value, exp.Column)) or (kind in _REG and isinstance(value, exp.Cast)):
                value.replace(_call("reg_out", exp.Literal.string(kind), value.copy()))
            elif kind in _VECTORS:
                value.replace(_call("array_to_string", value.copy(), exp.Literal.string(" ")))

    def _inner_first(self, *kinds: type[exp.Expression]) -> list[exp.Expression]:
        """Nodes of some kinds; what stands within one comes before it."""
        return list(self._tree.find_all(*kinds))[::-1]

    # -- what stands within ---------------------------------------------------------------------------------------

    def _hidden_columns(self) -> None:
        for column in self._inner_first(exp.Column):
            if column.name in _HIDDEN and not column.this.quoted:
                column.replace(_literal(_HIDDEN[column.name]))
            elif column.name == "tableoid":
                relation = _source_of(column)
                if relation:
                    column.replace(exp.Literal.number(relation.oid))
            elif column.name == "user" and not column.table and not column.this.quoted:
                column.replace(_call("user"))

    def _casts(self) -> None:
        for cast in self._inner_first(exp.Cast):
            if kind := _reg_of(cast.to):
                self._cast_to_reg(cast, kind)
                continue
            told = _type_name(cast.to)
            if told in _CASTS and (told != "char" or '"' in cast.to.sql("postgres")):
                cast.set("to", exp.DataType.build(_CASTS[told], dialect="postgres"))
            value = cast.this
            if isinstance(value, exp.Literal) and value.is_string and cast.to.is_type("array"):
                if (elements := _array_literal(value.this)) is not None:
                    cast.set("this", exp.Array(expressions=elements))
            elif not isinstance(value, exp.Cast) and cast.to.is_type(*exp.DataType.TEXT_TYPES):
                kind = self._type_of(value)
                if kind in _REG:
                    cast.set("this", _call("reg_out", exp.Literal.string(kind), value.copy()))
                elif kind in _VECTORS:
                    cast.set("this", _call("array_to_string", value.copy(), exp.Literal.string(" ")))

    def _cast_to_reg(self, cast: exp.Cast, kind: str) -> None:
        """An oid; or the name of one, where that becomes text."""
        value, parent = cast.this, cast.parent
        oid: exp.Expression = _call("reg_in", exp.Literal.string(kind), value.copy())
        if not (isinstance(value, exp.Literal) and value.is_string):
            oid = _call("reg_in", exp.Literal.string(kind), exp.cast(value.copy(), "text"))
        while isinstance(parent, exp.Paren):
            parent = parent.parent
        is_text = isinstance(parent, exp.DPipe) or (
            isinstance(parent, exp.Cast) and parent.to.is_type(*exp.DataType.TEXT_TYPES)
        )
        cast.replace(_call("reg_out", exp.Literal.string(kind), oid) if is_text else oid)

    def _comparisons(self) -> None:
        for node in self._inner_first(exp.Any, exp.All):
            value = node.this.unnest()
            if isinstance(value, exp.Literal) and value.is_string:
                elements = _array_literal(value.this)
                if elements is not None:
                    node.set("this", exp.Paren(this=exp.Array(expressions=elements)))
                    value = node.this.this
            like = node.parent
            if isinstance(like, exp.Like | exp.ILike) and isinstance(value, exp.Array):
                combine = exp.or_ if isinstance(node, exp.Any) else exp.and_
                whole = combine(*(type(like)(this=like.this.copy(), expression=e.copy()) for e in value.expressions))
                like.replace(exp.paren(whole, copy=False))

    def _concatenations(self) -> None:
        """Of arrays, where NULL is as an empty one."""
        for node in self._inner_first(exp.DPipe):
            if any(self._is_array(side) for side in (node.this, node.expression)):
                node.replace(_call("array_cat", node.this.copy(), node.expression.copy()))

    def _is_array(self, one: exp.Expression) -> bool:
        if isinstance(one, exp.Column):
            return self._types.get(one.name, "").startswith("_")
        return isinstance(one, exp.Array | exp.ArrayAgg) or (isinstance(one, exp.Cast) and one.to.is_type("array"))

    def _subscripts(self) -> None:
        for bracket in self._inner_first(exp.Bracket):
            value = bracket.this
            if isinstance(value, exp.Column) and self._types.get(value.name) in _VECTORS:
                bracket.set(
                    "expressions",
                    [exp.Add(this=exp.paren(e.copy()), expression=_literal("1")) for e in bracket.expressions],
                )

    def _calls(self) -> None:
        for kind, name in _CLASSES.items():
            for call in self._inner_first(kind):
                call.replace(_call(name))
        for call in self._inner_first(exp.Anonymous):
            name, given = call.name.lower(), call.expressions
            if name == "_pg_expandarray":
                _whole(call).replace(_call("expand_array", *(e.copy() for e in given)))
            elif name in ("json_build_object", "jsonb_build_object"):
                call.set("this", "json_object")
            elif name == "generate_subscripts":
                call.replace(self._subscripts_of(given))
            elif name in macros() and not isinstance(call.parent, exp.Table | exp.Dot):
                if name == "set_config" and all(isinstance(e, exp.Literal) for e in given[:2]) and len(given) > 1:
                    self._settings.append((given[0].name.lower(), given[1].name))
                if name == "format" and len(given) > 1:
                    listed = [exp.cast(e.copy(), "text") for e in given[1:]]
                    given = [given[0], exp.Array(expressions=listed)]
                call.replace(_call(name, *(e.copy() for e in given)))

    def _subscripts_of(self, given: list[exp.Expression]) -> exp.Expression:
        """The numbers of an array's elements, from 0 for a vector."""
        value = given[0]
        is_vector = isinstance(value, exp.Column) and self._types.get(value.name) in _VECTORS
        length: exp.Expression = exp.func("len", value.copy())
        first, stop = ("0", length) if is_vector else ("1", exp.Add(this=length, expression=_literal("1")))
        return exp.func("unnest", exp.func("range", _literal(first), stop))

    def _relations(self) -> None:
        for table in self._inner_first(exp.Table):
            name = table.this
            if relation := _system_relation(table):
                if not table.args.get("alias"):
                    table.set("alias", exp.TableAlias(this=exp.to_identifier(relation.name)))
                table.set("this", exp.to_identifier(relation.name, quoted=True))
                table.set("db", exp.to_identifier(_SCHEMAS[relation.schema]))
            elif isinstance(name, exp.Anonymous):
                called = name.name.lower()
                if called in _table_macros():
                    table.set("db", exp.to_identifier("pg"))
                elif called in _SET_OF_SCALARS:
                    _name_column(table, called)
                elif called in macros():
                    _name_column(table, called)
                    alias = table.args["alias"].copy()
                    value = _call(called, *(e.copy() for e in name.expressions))
                    table.replace(exp.Subquery(this=exp.select(value), alias=alias))
                    continue
                if called in macros() and not table.args.get("alias"):
                    table.set("alias", exp.TableAlias(this=exp.to_identifier(called)))
        for unnest in self._inner_first(exp.Unnest):
            if isinstance(unnest.parent, exp.From | exp.Join):
                self._unnest(unnest)
            elif isinstance(unnest.parent, exp.Lateral):
                _name_column(unnest.parent, "unnest")

    def _unnest(self, unnest: exp.Unnest) -> None:
        """Several arrays side by side; a column that is called as its relation."""
        _name_column(unnest, "unnest")
        if len(unnest.expressions) > 1:
            alias, place = unnest.args["alias"], unnest.args.get("offset")
            select = exp.select(*(exp.func("unnest", e.copy()) for e in unnest.expressions))
            if place:
                if isinstance(place, exp.Identifier):
                    alias.append("columns", place.copy())
                longest = exp.func("greatest", *(exp.func("len", e.copy()) for e in unnest.expressions))
                numbers = exp.func("range", _literal("1"), exp.Add(this=longest, expression=_literal("1")))
                select = select.select(exp.func("unnest", numbers))
            unnest.replace(exp.Subquery(this=select, alias=alias.copy()))

    def _patterns(self) -> None:
        """A backslash escapes in PostgreSQL's patterns, without being told."""
        for like in self._inner_first(exp.Like, exp.ILike):
            pattern = like.expression
            is_plain = isinstance(pattern, exp.Literal) and "\\" not in pattern.this
            if not is_plain and not isinstance(like.parent, exp.Escape) and not isinstance(pattern, exp.Any | exp.All):
                like.replace(exp.Escape(this=like.copy(), expression=exp.Literal.string("\\")))

    def _clauses(self) -> None:
        for collate in self._inner_first(exp.Collate):
            collate.replace(collate.this.copy())
        for query in self._tree.find_all(exp.Select):
            query.set("locks", None)
            if not query.expressions:  # exists (select from ...)
                query.set("expressions", [_literal("1")])


_ORDERS = {
    "pg_attribute": ("attrelid", "attnum"),
    "columns": ("table_schema", "table_name", "ordinal_position"),
    "key_column_usage": ("constraint_schema", "constraint_name", "ordinal_position"),
}
_SCHEMAS = {"pg_catalog": "pg", "information_schema": "info"}
_CLASSES: dict[type[exp.Expression], str] = {
    exp.CurrentUser: "current_user",
    exp.SessionUser: "session_user",
    exp.CurrentRole: "current_role",
    exp.CurrentCatalog: "current_catalog",
    exp.CurrentSchema: "current_schema",
}


def _call(name: str, *given: exp.Expression) -> exp.Expression:
    """A call of a function of the catalogue."""
    call = exp.Anonymous(this=name if name != "user" else '"user"', expressions=list(given))
    return exp.Dot(this=exp.to_identifier("pg"), expression=call)


def _whole(call: exp.Expression) -> exp.Expression:
    """A call with the schema before it."""
    parent = call.parent
    return parent if isinstance(parent, exp.Dot) and parent.expression is call else call


def _literal(text: str) -> exp.Expression:
    return exp.Literal.number(text) if text.isdigit() else exp.Literal.string(text)


def _outermost(query: exp.Expression) -> Iterator[exp.Select]:
    """The selects whose columns are the result."""
    if isinstance(query, exp.Select):
        yield query
    elif isinstance(query, exp.SetOperation):
        yield from _outermost(query.left)
        yield from _outermost(query.right)
    elif isinstance(query, exp.Subquery):
        yield from _outermost(query.this)


def _sources(select: exp.Select) -> Iterator[tuple[str, SystemRelation | None]]:
    """Aliases of a select's relations, and what of the catalogue they are."""
    parts = [select.args.get("from_"), *(select.args.get("joins") or ()), *(select.args.get("laterals") or ())]
    for part in parts:
        source = part.this if isinstance(part, exp.From | exp.Join) else part
        if source is not None:
            relation = _system_relation(source) if isinstance(source, exp.Table) else None
            yield source.alias_or_name, None if relation is None or source.args.get("joins") else relation


def _source_of(column: exp.Column) -> SystemRelation | None:
    """The relation of the catalogue that a column is of, looked for outwards."""
    select = column.find_ancestor(exp.Select)
    while select is not None:
        for alias, relation in _sources(select):
            if column.table in ("", alias) and relation is not None:
                return relation
        select = select.find_ancestor(exp.Select)
    return None


def _name_column(source: exp.Expression, function: str) -> None:
    """The one column of a function's result is called as the relation: ``from unnest(x) as y`` has y.y."""
    alias = source.args.get("alias")
    name = alias.this.copy() if alias is not None and alias.this else exp.to_identifier(function)
    if alias is None or not alias.args.get("columns"):
        source.set("alias", exp.TableAlias(this=name, columns=[name.copy()]))


def _array_literal(text: str) -> list[exp.Expression] | None:
    """Elements of an array as PostgreSQL writes it: {a,"b c",NULL}."""
    if not (text.startswith("{") and text.endswith("}")):
        return None
    elements: list[exp.Expression] = []
    for quoted, bare in re.findall(r'"((?:[^"\\]|\\.)*)"|([^,{}"]+)', text[1:-1]):
        if bare.strip().lower() == "null":
            elements.append(exp.Null())
        else:
            elements.append(exp.Literal.string(bare.strip() or re.sub(r"\\(.)", r"\1", quoted)))
    return elements


def _name_of(one: exp.Expression) -> str | None:
    """The name that PostgreSQL gives to a column nobody named."""
    return _strong_name(one) or _weak_name(one)


def _weak_name(one: exp.Expression) -> str | None:
    """The name of a cast or a case, which one that is written within goes before."""
    if isinstance(one, exp.Cast):
        kind = _type_name(one.to)
        return _TYPE_NAMES.get(kind, kind)
    if isinstance(one, exp.Paren | exp.Collate | exp.Bracket):
        return _weak_name(one.this)
    return "case" if isinstance(one, exp.Case) else None


def _strong_name(one: exp.Expression) -> str | None:
    """The name of a column, or of a function or a sub-query."""
    if isinstance(one, exp.Column):
        return one.name
    if isinstance(one, exp.Dot):
        last = one.expression
        return last.name.lower() if isinstance(last, exp.Anonymous) else last.name
    if isinstance(one, exp.Anonymous):
        return one.name.lower()
    if isinstance(one, exp.Paren | exp.Collate | exp.Bracket | exp.Cast | exp.Filter | exp.Window | exp.WithinGroup):
        return _strong_name(one.this)
    if isinstance(one, exp.Case):
        default = one.args.get("default")
        return None if default is None else _strong_name(default)
    if isinstance(one, exp.Subquery):
        inner = next(_outermost(one.this), None)
        return (inner.expressions[0].alias or _name_of(inner.expressions[0])) if inner else None
    if isinstance(one, exp.Trim):
        return {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(one.args.get("position") or ""), "btrim")
    if type(one) in _NAMES:
        return _NAMES[type(one)]
    if isinstance(one, exp.Func) and not isinstance(one, exp.Binary | exp.Connector):
        return one.sql_name().lower()
    return None


_TYPE_NAMES = {
    "int": "int4", "bigint": "int8", "smallint": "int2", "boolean": "bool", "double precision": "float8",
    "real": "float4", "decimal": "numeric", "varchar": "varchar", "char": "bpchar",
}  # fmt: skip
_NAMES: dict[type[exp.Expression], str] = {
    **_CLASSES,
    exp.Exists: "exists",
    exp.Array: "array",
    exp.Boolean: "bool",
    exp.GroupConcat: "string_agg",
    exp.ArrayAgg: "array_agg",
    exp.CurrentTimestamp: "now",
    exp.Explode: "unnest",
    exp.Unnest: "unnest",
}
