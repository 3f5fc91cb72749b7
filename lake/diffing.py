"""What differs between two states of a relation: rows added and removed, and where a key pairs them, what changed."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
import pyarrow as pa

from .errors import QueryError


def difference(before: pa.Table, after: pa.Table, key: Sequence[str] = ()) -> pa.Table:
    """Rows that are not the same, with ``change`` first. NaN equals NaN, and NULL equals NULL.

    key : columns that tell rows apart. Without, a row that changed is one ``removed`` and one ``added``. With them it
        is one ``changed``: ``changed_columns`` names what did, and each such column c stands beside ``c_before``.

    Raises QueryError where the key is not a column of both, or does not tell rows apart.
    """
    old, new = (
        side.drop_columns(["ingest_id"]) if "ingest_id" in side.column_names else side for side in (before, after)
    )
    with duckdb.connect() as con:
        con.register("old", old)
        con.register("new", new)
        if not key:
            return _unkeyed(con, old, new)
        _refuse(con, old, new, key)
        return _keyed(con, old, new, key)


def _unkeyed(con: duckdb.DuckDBPyConnection, old: pa.Table, new: pa.Table) -> pa.Table:
    names = [name for name in new.column_names if name in old.column_names]
    if not names:
        return pa.table({"change": pa.array([], pa.string())})
    listed = ", ".join(map(_quoted, names))
    return con.sql(f"""
        select 'removed' as change, * from (select {listed} from old except all select {listed} from new)
        union all
        select 'added' as change, * from (select {listed} from new except all select {listed} from old)
        order by all
    """).to_arrow_table()


def _refuse(con: duckdb.DuckDBPyConnection, old: pa.Table, new: pa.Table, key: Sequence[str]) -> None:
    for side, table in (("old", old), ("new", new)):
        for name in key:
            if name not in table.column_names:
                raise QueryError(f"the key {name} is not a column: there are {', '.join(table.column_names)}")
        listed = ", ".join(map(_quoted, key))
        query = f"select {listed} from {side} group by all having count(*) > 1 order by all limit 1"
        if found := con.execute(query).fetchall():
            values = ", ".join(f"{name} {value}" for name, value in zip(key, found[0], strict=True))
            raise QueryError(f"the key does not tell rows apart: there are several of {values}")


def _keyed(con: duckdb.DuckDBPyConnection, old: pa.Table, new: pa.Table, key: Sequence[str]) -> pa.Table:
    names = [name for name in dict.fromkeys([*new.column_names, *old.column_names]) if name not in key]
    both = {name for name in names if name in new.column_names and name in old.column_names}
    on = " and ".join(f"o.{_quoted(k)} is not distinct from n.{_quoted(k)}" for k in key)
    flags = {name: f"d{i}" for i, name in enumerate(names)}
    kinds = {name: (old.schema.field(name).type, new.schema.field(name).type) for name in both}
    kept = [f"coalesce(o.{_quoted(k)}, n.{_quoted(k)}) as {_quoted(k)}" for k in key]
    for name in names:
        a, b = f"o.{_quoted(name)}", f"n.{_quoted(name)}"
        if name in both and kinds[name][0] != kinds[name][1] and not _numbers(*kinds[name]):
            a, b = f"{a}::varchar", f"{b}::varchar"
        a, b = (a if name in old.column_names else "null"), (b if name in new.column_names else "null")
        kept += [f"{a} as {_quoted('a:' + name)}", f"{b} as {_quoted('b:' + name)}"]
        kept.append(f"coalesce(o._side and n._side, false) and {a} is distinct from {b} as {flags[name]}")
    any_ = " or ".join(flags.values()) or "false"
    con.execute(f"""
        create temp table paired as
        select case when o._side is null then 'added' when n._side is null then 'removed' else 'changed' end as change,
            {", ".join(kept)}
        from (select *, true as _side from old) as o full join (select *, true as _side from new) as n on {on}""")
    con.execute(f"delete from paired where change = 'changed' and not ({any_})")
    sums = ", ".join(f"coalesce(bool_or({flag}), false)" for flag in flags.values())
    touched = con.execute(f"select {sums} from paired").fetchall()[0] if names else ()
    changed = [name for name, is_changed in zip(names, touched, strict=True) if is_changed]
    marks = ", ".join(f"case when {flags[name]} then {_text(name)} end" for name in changed)
    columns = ["change", *map(_quoted, key)]
    if changed:
        columns.append(f"list_filter([{marks}], lambda x: x is not null) as changed_columns")
    for name in names:
        a, b = _quoted("a:" + name), _quoted("b:" + name)
        columns.append(f"case when change = 'removed' then {a} else {b} end as {_quoted(name)}")
        if name in changed:
            columns.append(f"case when change = 'changed' then {a} end as {_quoted(name + '_before')}")
    order = ", ".join(map(_quoted, key))
    return con.sql(f"select {', '.join(columns)} from paired order by {order}").to_arrow_table()


def _numbers(*kinds: pa.DataType) -> bool:
    return all(pa.types.is_integer(kind) or pa.types.is_floating(kind) for kind in kinds)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _text(name: str) -> str:
    return "'" + name.replace("'", "''") + "'"
