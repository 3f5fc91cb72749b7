"""The data dictionary of a lake: which relations there are, what their columns mean, and where a word occurs.

The rows are those of `lake.relations` and `lake.columns`, which SQL can ask as well; here they are put in the order people
read them in, and a name that is not there gets the nearest ones.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from .errors import UnknownError

if TYPE_CHECKING:
    from .relation import Relation
    from .session import Session

_TABLES = """
    select name, kind, grain
    from lake.relations
    where $schema is null or starts_with(name, $schema || '.')
    order by contains(name, '.') desc, name
"""

_DESCRIBE = """
    select column_name, column_type, unit, description
    from (
        select *, 0 as part from lake.columns where name = $name
        union all by name
        select *, 1 as part from results)
    order by part, position
"""

_FIND = """
    select r.name, r.kind, r.grain, r.sdk
    from lake.relations as r
    where contains(lower(concat_ws(' ', r.name, r.grain, r.sdk)), lower($word))
       or r.name in (
            select c.name from lake.columns as c
            where contains(lower(concat_ws(' ', c.column_name, c.description)), lower($word)))
    order by contains(lower(concat_ws(' ', r.name, r.sdk)), lower($word)) desc, r.name
"""


def tables(session: Session, schema: str | None = None) -> Relation:
    """See :meth:`.facade.Lake.tables`. Raises UnknownError for a schema that is not there."""
    schemas = {name.partition(".")[0] for name in session.names()}
    if schema is not None and schema not in schemas:
        raise UnknownError(f"there is no schema {schema}: there are {', '.join(sorted(schemas))}")
    return session.sql(_TABLES, {"schema": schema})


def describe(session: Session, name: str) -> Relation:
    """See :meth:`.facade.Lake.describe`. Raises UnknownError."""
    whole = full_name(session, name)
    question = session.questions.get(whole)
    told = question.results if question else {}
    results = {
        "position": list(range(len(told))),
        "column_name": list(told),
        "column_type": ["result"] * len(told),
        "unit": [one.unit for one in told.values()],
        "description": [one.text for one in told.values()],
    }
    return session.sql(_DESCRIBE, {"name": whole}, tables={"results": results})


def find(session: Session, word: str) -> Relation:
    """See :meth:`.facade.Lake.find`."""
    return session.sql(_FIND, {"word": word})


def full_name(session: Session, name: str) -> str:
    """A relation's or function's whole name, of its own or of what follows the schema. Raises UnknownError."""
    names = [*session.names(), *session.function_names()]
    ends = {n for n in names if n.rsplit(".", 1)[-1] == name.lower()}
    if name.lower() in names:
        return name.lower()
    return ends.pop() if len(ends) == 1 else known(session, name)


def known(session: Session, name: str) -> str:
    """The name, where a relation has it. Raises UnknownError, which tells the nearest names."""
    names = session.names()
    if name not in names:
        near = difflib.get_close_matches(name, names, 3) or [n for n in names if name.split(".")[-1] in n][:3]
        hint = f"; did you mean {', '.join(near)}?" if near else "; `brainlake tables` lists them"
        raise UnknownError(f"there is no relation {name}{hint}")
    return name
