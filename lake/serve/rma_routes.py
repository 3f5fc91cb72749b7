"""Addresses of the Atlas API, and what a lake answers at each (spec: api 2.1).

A route is a pattern of the path and a function from the match and the address's parameters to a query, or to records
made from the answers of some. Files are those that were fetched from the same address of the API.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...ingest.rma_grammar import ModelStage, Query, parse
from ...ingest.rma_text import quote_string
from ..errors import AbsentError, QueryError, UnknownError
from ..rma.answers import Answer, Api, listed
from ..rma.formats import FORMATS
from ..rma.models import Attached, Many, Model, One, model, models
from ..rma.tellers import ATLAS_DATA_SETS

if TYPE_CHECKING:
    from ..facade import Lake

Parameters = Mapping[str, str]

_FMT = rf"\.(?P<fmt>{'|'.join(FORMATS)})"
_CLAUSES = ("criteria", "include")
_OPTIONS = ("only", "except", "tabular", "order", "num_rows", "start_row", "count", "debug")
_CALLS = {"intensity_values": "intensity_call", "density_values": "density_call", "pattern_values": "pattern_call"}
_GROUP = re.compile(r"\[([^\[\]]*)\]")
_LETTERS = {"BIGINT": "integer", "INTEGER": "integer", "SMALLINT": "integer", "TINYINT": "integer",
            "DOUBLE": "float", "FLOAT": "float", "BOOLEAN": "boolean", "TIMESTAMP": "datetime"}  # fmt: skip


@dataclass(frozen=True)
class Route:
    """``answer(api, match, parameters)``; it raises UnknownError for what is not there."""

    pattern: re.Pattern[str]
    answer: Callable[[Api, re.Match[str], Parameters], Answer]


def query(api: Api, match: re.Match[str], parameters: Parameters) -> Answer:
    """E01: a query in ``q``; ``criteria`` may stand for it, with ``include`` beside."""
    text = parameters.get("q") or parameters.get("criteria")
    if not text:
        raise QueryError("the address holds no query: ?q=model::Structure,rma::criteria,...")
    if "q" not in parameters and parameters.get("include"):
        text += f",rma::include,{parameters['include']}"
    return api.answer(parse(text), match["fmt"] == "csv")


def query_of_model(api: Api, match: re.Match[str], parameters: Parameters) -> Answer:
    """E03: the clauses of a query as parameters of the address."""
    parts = [f"model::{model(match['model']).name}"]
    parts += [f"rma::{name},{parameters[name]}" for name in _CLAUSES if parameters.get(name)]
    parts += [f"rma::options[{name}$eq{parameters[name]}]" for name in _OPTIONS if parameters.get(name)]
    return api.answer(_one_model(parse(",".join(parts))), match["fmt"] == "csv")


def record(api: Api, match: re.Match[str], parameters: Parameters) -> Answer:
    """E02: one record by its id."""
    of = model(match["model"])
    text = f"model::{of.name},rma::criteria,[{of.keys[0]}$eq{match['id']}],rma::options[count$eqfalse]"
    if parameters.get("include"):
        text += f",rma::include,{parameters['include']}"
    return _found(api.answer(_one_model(parse(text)), match["fmt"] == "csv"), f"{of.name} {match['id']}")


def _one_model(found: Query) -> Query:
    """Parameters of an address are clauses of its model, and hold no further stage."""
    if len(found.stages) != 1 or not isinstance(found.stages[0], ModelStage):
        raise QueryError("the address's parameters are clauses of one model")
    return found


def _found(answer: Answer, what: str) -> Answer:
    first = next(answer.batches, None)
    if first is None:
        raise UnknownError(f"there is no {what}")
    answer.batches = itertools.chain([first], answer.batches)
    return answer


# -- what there is ---------------------------------------------------------------------------------------------------


def schema(api: Api, match: re.Match[str], parameters: Parameters) -> Answer:
    """E04, E05: models, their fields and associations."""
    named = match.groupdict().get("model")
    described = [model(named)] if named else models().values()
    return listed({"DataDescription": {one.name: _described(api, one)}} for one in described)


def _described(api: Api, of: Model) -> dict[str, Any]:
    types = api.told.types(of)
    fields = [
        {"name": name, "type": _LETTERS.get(types[name], "string"), "nullable": str(name not in of.keys).lower()}
        for name in of.columns
        if name != "extra"
    ]
    kinds = {One: "belongs_to", Many: "has_many", Attached: "has_many"}
    associations = [
        {"name": name, "type": kinds.get(type(to), "has_and_belongs_to_many"), "class": to.model}
        for name, to in of.associations.items()
    ]
    return {"fields": fields, "associations": associations, "table": of.table}


def tree_search(api: Api, match: re.Match[str], parameters: Parameters) -> Answer:
    """E12: a structure or specimen with those above and below it, as asked, the uppermost first."""
    kind, wanted = match["model"], match["id"]
    above, below = (parameters.get(name, "false").lower() == "true" for name in ("ancestors", "descendants"))
    node = next(iter(_all(api, f"model::{kind},rma::criteria,[id$eq{wanted}]")), None)
    if node is None:
        raise UnknownError(f"there is no {kind} {wanted}")
    path = "structure_id_path" if kind == "Structure" else "specimen_id_path"
    ids = [int(part) for part in (node[path] or f"/{wanted}/").strip("/").split("/")]
    found = [node]
    if above and len(ids) > 1:
        upper = _all(api, f"model::{kind},rma::criteria,[id$in{','.join(map(str, ids[:-1]))}]")
        found = sorted(upper, key=lambda one: ids.index(one["id"])) + found
    if below:
        lower = _all(api, f"model::{kind},rma::criteria,[{path}$li'*/{wanted}/*'][id$ne{wanted}]")
        found += sorted(lower, key=lambda one: ((one[path] or "").count("/"), one.get("graph_order") or 0, one["id"]))
    return listed(found, model(kind))


def structure_graph(api: Api, match: re.Match[str], parameters: Parameters) -> Answer:
    """E11: the structures of a graph, each in its parent's ``children``."""
    found = _all(api, f"model::Structure,rma::criteria,[graph_id$eq{match['id']}],rma::options[order$eqgraph_order]")
    if not found:
        raise UnknownError(f"there is no structure graph {match['id']}")
    nodes = {one["id"]: {**one, "children": []} for one in found}
    for one in nodes.values():
        if one["parent_structure_id"] in nodes:
            nodes[one["parent_structure_id"]]["children"].append(one)
    return listed((one for one in nodes.values() if one["parent_structure_id"] not in nodes), model("Structure"))


def annotated(api: Api, match: re.Match[str], parameters: Parameters) -> Answer:
    """E13, C-AN1: image series with a manual annotation of any of the structures, its calls among those given."""
    return listed(
        _annotated(api, {name: text.split(",") for name, text in parameters.items()}), model("SectionDataSet")
    )


def compound_annotated(api: Api, match: re.Match[str], parameters: Parameters) -> Answer:
    """E14, C-AN2: image series by several groups of terms, joined from left to right by ``or`` and ``and``."""
    pieces = [piece.strip() for piece in _GROUP.split(parameters.get("query", ""))]
    groups, words = pieces[1::2], pieces[2:-1:2]
    if not groups or pieces[0] or pieces[-1] or not set(words) <= {"or", "and"}:
        raise QueryError("the query is [structures $in 1 : intensity_values $in 'High'] or [...] and [...]")
    found: dict[int, dict[str, Any]] = {}
    for group, word in zip(groups, ["or", *words], strict=True):
        terms = (term.partition("$in") for term in group.split(" : "))
        here = {one["id"]: one for one in _annotated(api, {name.strip(): text.split(",") for name, _, text in terms})}
        found = {**found, **here} if word == "or" else {i: one for i, one in found.items() if i in here}
    return listed((found[i] for i in sorted(found)), model("SectionDataSet"))


def _annotated(api: Api, terms: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    unknown = set(terms) - {*_CALLS, "structures", "age_names"}
    if unknown:
        raise QueryError(
            f"there is no term {', '.join(sorted(unknown))[:60]}: there are structures, age_names, {', '.join(_CALLS)}"
        )
    lists = {name: [value.strip().strip("'") for value in values if value.strip()] for name, values in terms.items()}
    calls = [(_CALLS[name], values) for name, values in lists.items() if name in _CALLS and values]
    brackets = "".join(_among(name, values) for name, values in calls)
    path = f"manual_annotations{brackets}"
    if lists.get("structures"):
        path += f"(structure{_among('id', lists['structures'])})"
    criteria = [path]
    if lists.get("age_names"):
        criteria.append(f"specimen(donor(age{_among('name', lists['age_names'])}))")
    return _all(api, f"model::SectionDataSet,rma::criteria,{','.join(criteria)},rma::options[order$eqid]")


# -- synchronisation -------------------------------------------------------------------------------------------------


def synchronised(api: Api, match: re.Match[str], parameters: Parameters) -> Answer:
    """E15 to E20: where a pixel, a point or a structure lies in images, or in the reference space."""
    sync = _SYNCS[match["verb"]]
    params: dict[str, Any] = {"id": int(match["id"])}
    for name in sync.parameters:
        text = parameters.get(name)
        if not text:
            raise QueryError(f"{match['verb']} needs {', '.join(sync.parameters)}")
        try:
            params[name] = [int(one) for one in text.split(",")] if name.endswith("_ids") else float(text)
        except ValueError:
            kind = "ids" if name.endswith("_ids") else "a number"
            raise QueryError(f"{name} is {kind}, not {text[:60]!r}") from None
    rows = api.rows(sync.query, params)
    return listed({sync.name: row} for row in rows)


@dataclass(frozen=True)
class Sync:
    """``query`` gives the records, each under ``name``; ``parameters`` are the address's."""

    query: str
    parameters: tuple[str, ...]
    name: str = "image_sync"


_SYNCED = "i.data_set_id as section_data_set_id, i.section_image_id, i.section_number, i.x, i.y"
_SYNCS: Mapping[str, Sync] = {
    "image_to_atlas": Sync(
        f"""
        select {_SYNCED}
        from ccf.image_to_images($id, $x, $y, annotated_only := true, data_sets := (
            select list(d.member) from ({ATLAS_DATA_SETS}) as d where d.owner = $atlas_id::bigint)) as i
        """,
        ("x", "y", "atlas_id"),
    ),
    "image_to_image": Sync(
        f"select {_SYNCED} from ccf.image_to_images($id, $x, $y, data_sets := $section_data_set_ids) as i",
        ("x", "y", "section_data_set_ids"),
    ),
    "image_to_image_2d": Sync(
        f"select {_SYNCED} from ccf.image_to_images($id, $x, $y, images := $section_image_ids) as i",
        ("x", "y", "section_image_ids"),
    ),
    "reference_to_image": Sync(
        f"""
        with point as (select $x as ap_um, $y as dv_um, $z as ml_um, $id::bigint as reference_space_id)
        select {_SYNCED} from ccf.reference_to_images('point', $section_data_set_ids) as i
        """,
        ("x", "y", "z", "section_data_set_ids"),
    ),
    "image_to_reference": Sync(
        "select r.ap_um as x, r.dv_um as y, r.ml_um as z from ccf.image_to_reference($id, $x, $y) as r",
        ("x", "y"),
        "image_to_reference",
    ),
    "structure_to_image": Sync(
        f"select i.structure_id, {_SYNCED} from ccf.structure_to_images($id, $structure_ids) as i", ("structure_ids",)
    ),
}


def _among(column: str, values: Sequence[str]) -> str:
    return f"[{column}$in{','.join(quote_string(value) for value in values)}]"


def _all(api: Api, text: str) -> list[dict[str, Any]]:
    joint = "" if "rma::options" in text else ",rma::options"
    return list(api.answer(parse(f"{text}{joint}[num_rows$eq'all'][count$eqfalse]")))


ROUTES = tuple(
    Route(re.compile(f"/api/v2/{pattern}"), answer)
    for pattern, answer in (
        (f"data/query{_FMT}", query),
        (rf"data(?:/enumerate)?{_FMT}", schema),
        (rf"data/(?P<model>\w+)/query{_FMT}", query_of_model),
        (rf"data/(?P<model>\w+)/describe{_FMT}", schema),
        (rf"data/(?P<model>\w+)/(?P<id>\d{{1,18}}){_FMT}", record),
        (rf"data/(?P<model>\w+){_FMT}", schema),
        (rf"tree_search/(?P<model>Structure|Specimen)/(?P<id>\d{{1,18}}){_FMT}", tree_search),
        (rf"(?P<verb>{'|'.join(_SYNCS)})/(?P<id>\d{{1,18}}){_FMT}", synchronised),
        (f"annotated_section_data_sets{_FMT}", annotated),
        (f"compound_annotated_section_data_sets{_FMT}", compound_annotated),
        (rf"structure_graph_download/(?P<id>\d{{1,18}}){_FMT}", structure_graph),
    )
)


# -- files -----------------------------------------------------------------------------------------------------------


def kept_file(lake: Lake, address: str) -> Path:
    """The file that was fetched from this address (path and parameters) of the API, below the lake's ``raw/``.

    Raises AbsentError where none was.
    """
    rows = lake.sql(
        """
        select r.fetch_key, r.file_name
        from rma.requests as r
        where r.http_status in (200, 206) and r.rma_text is null and ends_with(r.request_url, $address)
        order by r.requested_at desc
        """,
        {"address": address},
    ).pl()
    raw = (lake.path / "raw" / "rma").resolve()
    for key, name in rows.iter_rows():
        path = (raw / key / name).resolve()
        if path.is_relative_to(raw) and path.is_file():
            return path
    raise AbsentError(f"{address[:200]} is neither a query that a lake answers nor a file that was fetched into it")
