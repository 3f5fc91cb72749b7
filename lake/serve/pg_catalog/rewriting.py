"""Statements of PostgreSQL's clients about the catalogue, as DuckDB's SQL over our tables and functions of it.

Three outcomes: a query of the catalogue is translated whole, as tools write it for PostgreSQL's parser; a question to
the lake that mentions who is asking, where and of what server, or has bytes as PostgreSQL writes them, keeps its text
but for those places; all others are none of ours.
"""

from __future__ import annotations

import re
from functools import lru_cache

import sqlglot.errors
from sqlglot import exp

from ...errors import QueryError
from ..postgres.lexing import tokens
from .texts import LakeQuestion, mentioning, spliced
from .translation import CatalogueQuery, Translation
from .trees import dialect, folded, system_relation
from .vocabulary import CLASSES, SETS_OF_SCALARS, macros, reg_of, table_macros

# A text without any of these is not about the catalogue.
_ASKS = re.compile(
    r"\bpg_|information_schema|\breg(?:class|type|proc|procedure|namespace|role)\b|\bto_reg|\bversion\b"
    r"|\bcurrent_(?:user|role|schema|schemas|catalog|database|setting)\b|\bsession_user\b|\buser\b|\bset_config\b"
    r"|\binet_(?:server|client)_|\btxid_current|\bhas_\w+_privilege\b|\bformat_type\b|\b(?:sh)?obj_description\b"
    r"|\bbytea\b|\bcol_description\b|\bquote_(?:ident|literal|nullable)\b|\bgetdatabaseencoding\b|\bgetpgusername\b",
    re.IGNORECASE,
)


LONGEST = 1 << 18  # characters of a text that may be about the catalogue; tools send a tenth at most
_KEPT = 1 << 14  # and of one whose translation is worth keeping


def translate(sql: str) -> CatalogueQuery | LakeQuestion | None:
    """What a statement is, as above. Raises QueryError for one that asks the catalogue and the lake at once."""
    if len(sql) > LONGEST or not _ASKS.search(sql):
        return None
    return _translated(sql) if len(sql) <= _KEPT else _translated.__wrapped__(sql)


@lru_cache(maxsize=2048)
def _translated(sql: str) -> CatalogueQuery | LakeQuestion | None:
    cut = list(tokens(sql))
    if not cut or cut[0].text.lower() not in ("select", "with", "values", "table", "("):
        return None
    try:
        trees = dialect().parse(spliced(sql, cut))
        if len(trees) != 1 or not isinstance(trees[0], exp.Query):
            return mentioning(cut)
        tree = trees[0]
        ours, others = _relations_of(tree)
        if ours and others:
            raise QueryError(
                f"{others[0]} is the lake's and {ours[0]} the catalogue's: one query cannot ask both, so ask one "
                "after the other"
            )
        if others or not (ours or _asks_catalogue_only(tree)):
            return mentioning(cut)
        return Translation(tree).result()
    except (sqlglot.errors.SqlglotError, RecursionError):  # no SQL of PostgreSQL's, or nested a thousand deep
        return mentioning(cut)


def _relations_of(tree: exp.Expr) -> tuple[list[str], list[str]]:
    """Relations of the catalogue, and others, that a query names."""
    own = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
    ours, others = [], []
    for table in tree.find_all(exp.Table):
        name = table.this
        if isinstance(name, exp.Identifier):
            if not table.args.get("db") and folded(name) in own:
                table.meta["is_cte"] = True
            elif system_relation(table):
                ours.append(folded(name))
            else:
                others.append(".".join(part.name for part in table.parts))
        elif isinstance(name, exp.Anonymous) and name.name.lower() in table_macros():
            ours.append(name.name.lower())
        elif isinstance(name, exp.Anonymous) and name.name.lower() not in macros() | SETS_OF_SCALARS | {
            "_pg_expandarray"
        }:
            others.append(name.name)
    return ours, others


def _asks_catalogue_only(tree: exp.Expr) -> bool:
    """True if a query without relations calls what the catalogue can answer, and nothing of the lake's."""
    calls = list(tree.find_all(exp.Anonymous))
    if any(call.name.lower() not in macros() | SETS_OF_SCALARS or isinstance(call.parent, exp.Dot) for call in calls):
        return any(reg_of(cast.to) for cast in tree.find_all(exp.Cast))
    if any(_ASKS.search(call.name) for call in calls) or tree.find(*CLASSES) is not None:
        return True
    if any(reg_of(cast.to) for cast in tree.find_all(exp.Cast)):
        return True
    # only without relations can the bare word not be a column
    is_bare = tree.find(exp.From, exp.Join) is None
    columns = tree.find_all(exp.Column)
    return is_bare and any(c.name.lower() == "user" and not c.table and not c.this.quoted for c in columns)
