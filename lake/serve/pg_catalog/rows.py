"""The rows of ``pg_catalog``'s tables: PostgreSQL's own, and those of a lake's objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from .objects import ANY, MAX_NAME, PG_CATALOG, PUBLIC, Function, LakeObjects, Relation
from .system import System, quote_ident

OWNER, OWNER_NAME = 10, "brainlake"  # the role that everything belongs to; nobody can log in as it
INFORMATION_SCHEMA = 13_207
_READ_BY_ALL = [f"{OWNER_NAME}=r/{OWNER_NAME}", f"=r/{OWNER_NAME}"]
_USED_BY_ALL = [f"{OWNER_NAME}=U/{OWNER_NAME}", f"=U/{OWNER_NAME}"]
HEAP, BTREE = 2, 403
INTERNAL, SQL = 12, 14
DEFAULT_COLLATION, C_COLLATION = 100, 950
CLASSES = {"pg_class": 1259, "pg_type": 1247, "pg_proc": 1255, "pg_namespace": 2615, "pg_constraint": 2606}

Row = dict[str, Any]


def rows_of(lake: LakeObjects, system: System) -> dict[str, list[Row]]:
    """Rows by table of pg_catalog; a column that a row does not name is NULL."""
    found: dict[str, list[Row]] = {
        table: [dict(zip(_names(system, table), row, strict=True)) for row in rows]
        for table, rows in system.rows.items()
    }
    types = {row["oid"]: row for row in found["pg_type"]}
    found["pg_namespace"] = list(_namespaces(lake))
    found["pg_class"] = [*_system_classes(system), *_classes(lake)]
    found["pg_attribute"] = [*_system_attributes(system, types), *_attributes(lake, types)]
    found["pg_type"] += _row_types(lake, system, types)
    found["pg_proc"] += _procedures(lake)
    found["pg_index"] = list(_indexes(lake, _operator_classes(found["pg_opclass"]), types))
    found["pg_constraint"] = list(_constraints(lake))
    found["pg_description"] += _descriptions(lake)
    found["pg_tablespace"] = [
        {"oid": 1663, "spcname": "pg_default", "spcowner": OWNER},
        {"oid": 1664, "spcname": "pg_global", "spcowner": OWNER},
    ]
    return found


def _names(system: System, table: str) -> list[str]:
    return [column.name for column in system.relations[f"pg_catalog.{table}"].columns]


def _namespaces(lake: LakeObjects) -> Iterator[Row]:
    own = [(PG_CATALOG, "pg_catalog"), (PUBLIC, "public"), (INFORMATION_SCHEMA, "information_schema")]
    for oid, name in [*own, *((lake.oid("schema", name), name) for name in lake.schemas)]:
        yield {"oid": oid, "nspname": name, "nspowner": OWNER, "nspacl": _USED_BY_ALL}


def _class(oid: int, schema: int, name: str, kind: str, n_columns: int) -> Row:
    is_stored = kind in "ri"
    return {
        "oid": oid, "relname": name, "relnamespace": schema, "reltype": 0, "reloftype": 0, "relowner": OWNER,
        "relam": {"r": HEAP, "i": BTREE}.get(kind, 0), "relfilenode": oid if is_stored else 0, "reltablespace": 0,
        "relpages": 0, "reltuples": -1, "relallvisible": 0, "reltoastrelid": 0, "relhasindex": False,
        "relisshared": False, "relpersistence": "p", "relkind": kind, "relnatts": n_columns, "relchecks": 0,
        "relhasrules": kind == "v", "relhastriggers": False, "relhassubclass": False, "relrowsecurity": False,
        "relforcerowsecurity": False, "relispopulated": True, "relreplident": "d" if kind == "r" else "n",
        "relispartition": False, "relrewrite": 0, "relfrozenxid": 0, "relminmxid": 0,
        "relacl": None if kind == "i" else _READ_BY_ALL,
    }  # fmt: skip


def _system_classes(system: System) -> Iterator[Row]:
    schemas = {"pg_catalog": PG_CATALOG, "information_schema": INFORMATION_SCHEMA}
    for one in system.relations.values():
        row = _class(one.oid, schemas[one.schema], one.name, one.kind, len(one.columns))
        yield row | {"reltype": one.row_type, "relreplident": "n"}


def _classes(lake: LakeObjects) -> Iterator[Row]:
    for one in lake.relations:
        oid, schema = lake.oid("relation", one.qualified), lake.by_schema[one.schema]
        row = _class(oid, schema, one.name, one.kind, len(one.columns))
        row |= {"reltype": lake.oid("row type", one.qualified), "relhasindex": bool(one.key)}
        yield row | numbers_of(one)
        if one.key:
            index = _class(lake.oid("index", one.qualified), schema, key_name(one), "i", len(one.key))
            yield index | {"reltuples": one.n_rows or 0}


def numbers_of(relation: Relation) -> Row:
    """What planners are told of a stored table: how many rows and pages it has."""
    if relation.n_rows is None:
        return {}
    return {"reltuples": relation.n_rows, "relpages": -(-relation.size_bytes // 8192)}


def key_name(relation: Relation) -> str:
    """Name of a relation's primary key and of its index."""
    return f"{relation.name[: MAX_NAME - 5]}_pkey"


def _attribute(relation: int, number: int, name: str, type_: Row, not_null: bool) -> Row:
    return {
        "attrelid": relation, "attname": name, "atttypid": type_["oid"], "attstattarget": -1,
        "attlen": type_["typlen"], "attnum": number, "attndims": int(type_["typcategory"] == "A"), "attcacheoff": -1,
        "atttypmod": -1, "attbyval": type_["typbyval"], "attalign": type_["typalign"],
        "attstorage": type_["typstorage"], "attcompression": "", "attnotnull": not_null, "atthasdef": False,
        "atthasmissing": False, "attidentity": "", "attgenerated": "", "attisdropped": False, "attislocal": True,
        "attinhcount": 0, "attcollation": type_["typcollation"],
    }  # fmt: skip


def _system_attributes(system: System, types: dict[int, Row]) -> Iterator[Row]:
    by_name = {row["typname"]: row for row in types.values()}
    by_name |= {f"_{one.name}": by_name["_record"] | {"oid": one.array_type} for one in system.relations.values()}
    for one in system.relations.values():
        for number, column in enumerate(one.columns, start=1):
            row = _attribute(one.oid, number, column.name, by_name[column.type], column.not_null)
            yield row | ({"attcollation": C_COLLATION} if row["attcollation"] == DEFAULT_COLLATION else {})


def _attributes(lake: LakeObjects, types: dict[int, Row]) -> Iterator[Row]:
    for one in lake.relations:
        oid = lake.oid("relation", one.qualified)
        for number, column in enumerate(one.columns, start=1):
            yield _attribute(oid, number, column.name, types[column.type], column.not_null)
        if one.key:
            index = lake.oid("index", one.qualified)
            for number, of_table in enumerate(one.key, start=1):
                column = one.columns[of_table - 1]
                yield _attribute(index, number, column.name, types[column.type], False) | {"attstattarget": -1}


def _row_types(lake: LakeObjects, system: System, types: dict[int, Row]) -> Iterator[Row]:
    """The type of a row of each relation, and its array's."""
    record, array = types[2249], types[2287]
    schemas = {"pg_catalog": PG_CATALOG, "information_schema": INFORMATION_SCHEMA}
    told: list[tuple[int, str, int, int, int]] = [
        (schemas[one.schema], one.name, one.oid, one.row_type, one.array_type) for one in system.relations.values()
    ]
    for one in lake.relations:
        kinds = ("relation", "row type", "array type")
        oid, row_type, array_type = (lake.oid(kind, one.qualified) for kind in kinds)
        told.append((lake.by_schema[one.schema], one.name, oid, row_type, array_type))
    for schema, name, oid, row_type, array_type in told:
        yield record | {
            "oid": row_type, "typname": name, "typnamespace": schema, "typtype": "c", "typcategory": "C",
            "typrelid": oid, "typarray": array_type,
        }  # fmt: skip
        if array_type:
            yield array | {
                "oid": array_type, "typname": f"_{name}"[:MAX_NAME], "typnamespace": schema, "typelem": row_type,
                "typtype": "b", "typcategory": "A",
            }  # fmt: skip


def _procedures(lake: LakeObjects) -> Iterator[Row]:
    for one in lake.functions:
        yield {
            "oid": lake.oid("function", f"{one.schema}.{one.name}"), "proname": one.name,
            "pronamespace": lake.by_schema[one.schema], "proowner": OWNER,
            "prolang": SQL if one.language == "sql" else INTERNAL, "procost": 100, "prorows": 1000 if one.is_set else 0,
            "provariadic": 0, "prosupport": 0, "prokind": "f", "prosecdef": False, "proleakproof": False,
            "proisstrict": False, "proretset": one.is_set, "provolatile": "s", "proparallel": "s",
            "pronargs": len(one.parameters), "pronargdefaults": sum(p.default is not None for p in one.parameters),
            "prorettype": one.returns, "proargtypes": [p.type for p in one.parameters],
            "proargnames": [p.name for p in one.parameters] or None, "prosrc": one.body,
            "proargdefaults": ", ".join(p.default for p in one.parameters if p.default is not None) or None,
        }  # fmt: skip


def _operator_classes(classes: Iterable[Row]) -> dict[int, int]:
    """For each type the operator class that an index has by default."""
    return {row["opcintype"]: row["oid"] for row in classes if row["opcdefault"] and row["opcmethod"] == BTREE}


def _indexes(lake: LakeObjects, classes: dict[int, int], types: dict[int, Row]) -> Iterator[Row]:
    for one in lake.relations:
        if one.key:
            kinds = [one.columns[number - 1].type for number in one.key]
            yield {
                "indexrelid": lake.oid("index", one.qualified), "indrelid": lake.oid("relation", one.qualified),
                "indnatts": len(one.key), "indnkeyatts": len(one.key), "indisunique": True,
                "indnullsnotdistinct": False, "indisprimary": True, "indisexclusion": False, "indimmediate": True,
                "indisclustered": False, "indisvalid": True, "indcheckxmin": False, "indisready": True,
                "indislive": True, "indisreplident": False, "indkey": list(one.key),
                "indcollation": [types[kind]["typcollation"] for kind in kinds],
                "indclass": [classes.get(kind, 0) for kind in kinds], "indoption": [0] * len(one.key),
            }  # fmt: skip


def _constraints(lake: LakeObjects) -> Iterator[Row]:
    for one in lake.relations:
        if one.key:
            yield {
                "oid": lake.oid("constraint", one.qualified), "conname": key_name(one),
                "connamespace": lake.by_schema[one.schema], "contype": "p", "condeferrable": False,
                "condeferred": False, "convalidated": True, "conrelid": lake.oid("relation", one.qualified),
                "contypid": 0, "conindid": lake.oid("index", one.qualified), "conparentid": 0, "confrelid": 0,
                "confupdtype": " ", "confdeltype": " ", "confmatchtype": " ", "conislocal": True, "coninhcount": 0,
                "connoinherit": True, "conkey": list(one.key),
            }  # fmt: skip


def _descriptions(lake: LakeObjects) -> Iterator[Row]:
    def row(of: str, oid: int, text: str, column: int = 0) -> Row:
        return {"objoid": oid, "classoid": CLASSES[of], "objsubid": column, "description": text}

    for one in lake.relations:
        oid = lake.oid("relation", one.qualified)
        if one.comment:
            yield row("pg_class", oid, one.comment)
        for number, column in enumerate(one.columns, start=1):
            if column.comment:
                yield row("pg_class", oid, column.comment, number)
    for function in lake.functions:
        if function.comment:
            yield row("pg_proc", lake.oid("function", f"{function.schema}.{function.name}"), function.comment)


def arguments(function: Function, types: dict[int, str], with_defaults: bool = True) -> str:
    """The parameters of a function as its declaration writes them."""
    told = []
    for one in function.parameters:
        kind = '"any"' if one.type == ANY else types[one.type]
        default = f" DEFAULT {one.default}" if with_defaults and one.default is not None else ""
        told.append(f"{quote_ident(one.name)} {kind}{default}")
    return ", ".join(told)
