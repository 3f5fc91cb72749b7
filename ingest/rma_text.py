"""Text of queries, as the reference writes it, byte for byte (spec: api 4.1).

These functions take the pieces that the reference's verbs take and join them in its order; canned queries
(:mod:`.rma_queries`, :mod:`.rma_templates`) are made of them. People who write queries of their own may prefer
:mod:`.rma_builder`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

import numpy as np

from ..lake.errors import QueryError

API_URL = "http://api.brain-map.org"
FORMATS = ("json", "xml", "csv")
SAFE = ";/?:@&=+$,"  # what a URL of the reference keeps as it is (API-003)

Names = str | Sequence[str]


@dataclass(frozen=True)
class Options:
    """What ``rma::options`` may say; None says nothing. A list of names is a list, or one name (not letters: D-02)."""

    only: Names | None = None
    except_: Names | None = None
    tabular: Names | None = None
    num_rows: int | Literal["all"] | None = None
    start_row: int | None = None
    order: Names | None = None
    debug: bool | Literal["preview"] | None = None
    count: bool | None = None

    def __str__(self) -> str:
        """C-OPT: brackets in a fixed order, each where its option is said; empty where none is."""
        said = [
            ("only", _names(self.only)),
            ("except", _names(self.except_)),
            ("tabular", _names(self.tabular)),
            ("num_rows", "'all'" if self.num_rows == "all" else _integer(self.num_rows)),
            ("start_row", _integer(self.start_row)),
            ("order", _names(self.order)),
            ("debug", "'preview'" if self.debug == "preview" else _boolean(self.debug)),
            ("count", _boolean(self.count)),
        ]
        brackets = "".join(f"[{key}$eq{value}]" for key, value in said if value is not None)
        return f"rma::options{brackets}" if brackets else ""


EVERY = Options(num_rows="all")
UNCOUNTED = Options(num_rows="all", count=False)
"""Every row, and no counting of them."""


def options(excpt: Names | None = None, **said: Any) -> Options:
    """Options by the reference's names (``except`` cannot be a keyword; ``excpt`` is its other name for it)."""
    if "except" in said:
        said["except_"] = said.pop("except")
    if excpt is not None and said.get("except_") is not None:
        warnings.warn("both except and excpt are given: except is taken", stacklevel=2)
    elif excpt is not None:
        said["except_"] = excpt
    return Options(**said)


def model_stage(
    model: str,
    criteria: Names | None = None,
    include: Names | None = None,
    options: Options | None = None,
    filters: Mapping[str, Any] | None = None,
) -> str:
    """C-URL2: ``model::Name[filters],rma::criteria,...,rma::include,...,rma::options...``.

    criteria, include : text; pieces of a list are joined with nothing between them
    filters : column -> value that it equals, in their order
    """
    text = f"model::{model}" + "".join(f"[{k}$eq{_said(v)}]" for k, v in (filters or {}).items())
    for clause, given in (("criteria", criteria), ("include", include)):
        if given is not None:
            text += f",rma::{clause},{given if isinstance(given, str) else ''.join(given)}"
    said = str(options or "")
    return f"{text},{said}" if said else text


def service_stage(name: str, parameters: Iterable[tuple[Any, ...]] = ()) -> str:
    """C-URL3: ``service::name[param$eqvalue]...``, parameters sorted; those that are None left out."""
    return f"service::{name}{tuple_filters(parameters)}"


def pipe_stage(name: str, parameters: Iterable[tuple[Any, ...]] = ()) -> str:
    """C-URL3: ``pipe::name[param$eqvalue]...``; a parameter of three elements has its operator in the middle."""
    return f"pipe::{name}{tuple_filters(parameters)}"


def tuple_filters(filters: Iterable[tuple[Any, ...]]) -> str:
    """``[name$eqvalue]`` of (name, value), ``[name$isvalue]`` of (name, "$is", value), sorted (C-URL3).

    Numbers of any kind are written, where the reference drops a float (D-04).
    """
    text = ""
    for given in sorted(filters, key=lambda given: tuple(map(str, given))):
        if given[-1] is None:
            continue
        if len(given) == 3:
            text += f"[{given[0]}{given[1]}{given[2]}]"
        elif len(given) == 2:
            text += f"[{given[0]}$eq{_said(given[1])}]"
        else:
            raise QueryError(f"a filter is (name, value) or (name, operator, value), not {given!r}")
    return text


def quote_string(text: str) -> str:
    """A text in quotes; a quote in it is doubled, so that it ends nothing."""
    return "'" + text.replace("'", "''") + "'"


def query_url(stages: str | Sequence[str], fmt: str = "json", api: str = API_URL) -> str:
    """C-URL1: the address that answers a query. Not yet percent-encoded: :func:`encoded` does that."""
    if fmt not in FORMATS:
        raise QueryError(f"the API has no format {fmt!r}: it has {', '.join(FORMATS)}")
    return f"{api}/api/v2/data/query.{fmt}?q={stages if isinstance(stages, str) else ','.join(stages)}"


def schema_url(model: str | None = None, fmt: str = "json", api: str = API_URL) -> str:
    """The address of the schema of all models, or of one (E04)."""
    return f"{api}/api/v2/data{f'/{model}' if model else ''}.{fmt}"


def encoded(url: str) -> str:
    """An address as it goes over the wire: ``;/?:@&=+$,`` stay, all else that is no letter is percent-encoded."""
    return quote(url, safe=SAFE)


def _said(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, Iterable):
        return ",".join(map(_said, value))
    return str(value)


def _names(names: Names | None) -> str | None:
    return names if names is None or isinstance(names, str) else ",".join(names)


def _integer(value: int | str | None) -> str | None:
    return None if value is None else f"{int(value)}"


def _boolean(value: Any) -> str | None:
    return {"true": "true", "false": "false"}.get(str(value).lower())
