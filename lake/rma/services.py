"""Connected services that a lake answers: searches of connectivity experiments (spec: api 2.7, C-MC6 to C-MC9).

A service is a question over the lake, whose parameters are the service's own; its rows become the API's records.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...ingest import rma_grammar as rma
from ...ingest.rma_services import PAGE, SERVICES, Parameter
from ..errors import AbsentError, QueryError
from .translate import Statement

_SIDES = {"left": 1, "right": 2}
_PREFIX = "mouse_connectivity_"

# What every search tells of an experiment, under the API's names. ``found``: experiment_id, place and further columns.
_RECORDS = """
with found as ({found}),
reached as (
    select r.experiment_id, list({{'id': r.structure_id, 'abbreviation': s.acronym, 'name': s.name, 'color': s.color_hex}}
                                 order by r.place) as structures
    from (select e.experiment_id, unnest(e.injection_structure_ids) as structure_id,
              generate_subscripts(e.injection_structure_ids, 1) as place
          from connectivity.experiments as e where e.experiment_id in (select f.experiment_id from found as f)) as r
    left join ccf.structures as s on s.structure_id = r.structure_id
    group by r.experiment_id
)
select e.experiment_id as id, e.specimen_name as name, e.gender, e.strain, e.injection_volume_mm3 as "injection-volume",
    [e.ap_um, e.dv_um, e.ml_um] as "injection-coordinates", r.structures as "injection-structures",
    e.structure_id as "structure-id", coalesce(s.name, e.structure_name) as "structure-name",
    coalesce(s.acronym, e.structure_acronym) as "structure-abbrev", s.color_hex as "structure-color",
    e.transgenic_line as "transgenic-line"{columns}
from found as f
join connectivity.experiments as e on e.experiment_id = f.experiment_id
left join reached as r on r.experiment_id = e.experiment_id
left join ccf.structures as s on s.structure_id = e.structure_id
where ($product_ids is null or list_contains($product_ids, e.product_id))
    and (not $primary_structure_only or $injection_structures is null or e.structure_id in (
        select c.descendant_id from ccf.find_structures($injection_structures) as w
        join ccf.structure_closure as c on c.ancestor_id = w.structure_id))
    {where}
order by f.place
limit $num_rows offset $start_row
"""
_COMMON = "lines := $transgenic_lines, start_row := 0, num_rows := 1000000000"


@dataclass(frozen=True)
class Service:
    """``found`` is the search, ``columns`` and ``where`` what it adds to :data:`_RECORDS`."""

    found: str
    columns: str = ""
    where: str = ""


_ALL: Mapping[str, Service] = {
    "injection_structure": Service(
        f"""
        select s.experiment_id, t.target_volume_mm3,
            row_number() over (order by t.target_volume_mm3 desc nulls last, s.experiment_id) as place
        from connectivity.search_source($injection_structures, injection_side := $injection_hemisphere,
            primary_structure_only := $primary_structure_only, {_COMMON}) as s
        left join connectivity.search_target($target_domain, injection := $injection_structures,
            target_hemisphere := coalesce($target_hemisphere, 3), num_rows := 1000000000) as t
            on t.experiment_id = s.experiment_id
        where $target_domain is null or t.experiment_id is not null
        """,
        ", f.target_volume_mm3 as sum",
        """
        and ($injection_domain is null or e.experiment_id in (
            select u.experiment_id from connectivity.published_unionizes as u
            join ccf.find_structures($injection_domain) as d on d.structure_id = u.structure_id
            where u.is_injection and u.projection_volume_mm3 > 0))
        """,
    ),
    "injection_coordinate": Service(
        f"""
        select s.experiment_id, s.distance_um, row_number() over (order by s.distance_um, s.experiment_id) as place
        from connectivity.search_injection_coordinate($seed_point, injection := $injection_structures, {_COMMON}) as s
        """,
        ", f.distance_um as distance",
    ),
    "target_spatial": Service(
        f"""
        select s.experiment_id, s.density, row_number() over (order by s.density desc, s.experiment_id) as place
        from connectivity.search_spatial($seed_point, injection := $injection_structures, {_COMMON}) as s
        """,
        ", f.density as density",
        "and ($section_data_set is null or e.experiment_id = $section_data_set)",
    ),
    "correlation": Service(
        f"""
        select s.experiment_id, s.correlation, row_number() over (
            order by if($sort_order = 'asc', s.correlation, -s.correlation) nulls last, s.experiment_id) as place
        from connectivity.search_correlation($row, wanted := coalesce($structures, ['root']),
            hemisphere := coalesce($hemisphere, 3), injection := $injection_structures, {_COMMON}) as s
        """,
        ", f.correlation as r",
    ),
}  # fmt: skip

ANSWERED = tuple(f"{_PREFIX}{name}" for name in _ALL)
"""Services that a lake answers itself."""


PATH = Statement(
    "select [p.ap_um, p.dv_um, p.ml_um] as coord, p.density from connectivity.search_path($seed, $experiment) as p "
    "order by p.path_index", {}
)  # fmt: skip
"""The way from a point to an experiment's injection, which ``target_spatial`` tells beside each of its records."""


def statement(stage: rma.ServiceStage, known_lines: Mapping[int, Sequence[str]]) -> Statement:
    """The question that answers a service.

    known_lines : names of transgenic lines by id: services take either

    Raises QueryError for a parameter that is none or has no such value, AbsentError for a service that only the API
    itself answers.
    """
    if stage.name not in SERVICES:
        raise QueryError(f"the API has no service {stage.name[:60]!r}: it has {', '.join(SERVICES)}")
    if stage.name not in ANSWERED:
        raise AbsentError(f"service {stage.name} is not answered from a lake: ask the API itself")
    given = {one.column.name: one.values for one in stage.parameters}
    unknown = set(given) - {one.name for one in SERVICES[stage.name]} - {"section_data_sets"}
    if unknown:
        known = ", ".join(one.name for one in SERVICES[stage.name])
        raise QueryError(f"service {stage.name} has no parameter {', '.join(sorted(unknown))[:60]}: it has {known}")
    if "section_data_sets" in given:  # as the reference's documentation calls it
        given.setdefault("section_data_set", given["section_data_sets"])
    params = {one.name: _value(one, given.get(one.name)) for one in SERVICES[stage.name]}
    lines = params["transgenic_lines"]
    if lines is not None:
        named = [known_lines.get(int(one), [one]) if one.isdigit() else [one] for one in lines]
        params["transgenic_lines"] = [name for names in named for name in names]
    service = _ALL[stage.name.removeprefix(_PREFIX)]
    sql = _RECORDS.format(found=service.found, columns=service.columns, where=service.where)
    return Statement(sql, {name: value for name, value in params.items() if f"${name}" in sql})


def _value(parameter: Parameter, values: Sequence[rma.Value] | None) -> Any:
    """A parameter's value of its kind. Raises QueryError where it is missing, or is none of that kind."""
    name, kind = parameter.name, parameter.kind
    if values is None:
        if not parameter.is_optional:
            raise QueryError(f"the service needs {name}, as [{name}$eq...]")
        return {"start_row": 0, "num_rows": PAGE, "primary_structure_only": False, "sort_order": "desc"}.get(name)
    if any(isinstance(one, rma.Variable) for one in values):
        raise QueryError(f"{name}: a service takes values, not what a pipe collected")
    words = [word for one in values for word in one.words.strip().split(",")]  # type: ignore[union-attr]
    words = [word.strip() for word in words if word.strip()]
    try:
        if kind in ("A", "AF"):
            listed = [int(word) if kind == "A" else float(word) for word in words]
            if name == "seed_point" and len(listed) != 3:
                raise ValueError
            return listed
        if kind in ("AS", "AT"):
            return words
        (word,) = words
        if name.endswith("hemisphere") and name != "injection_hemisphere":
            return _SIDES[word.lower()]
        if kind == "B":
            return {"true": True, "false": False, "t": True, "f": False}[word.lower()]
        return int(word) if kind == "I" else float(word) if kind == "F" else word.lower()
    except (ValueError, KeyError):
        wanted = {"A": "whole numbers", "AF": "numbers", "I": "a whole number", "F": "a number", "B": "true or false"}
        told = (
            "three numbers, in um" if name == "seed_point" else wanted.get(kind, "one word: right or left, asc or desc")
        )
        raise QueryError(f"{name} is {told}, not {', '.join(words)[:60]!r}") from None
