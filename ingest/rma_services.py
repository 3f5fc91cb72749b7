"""The API's connected services: names and parameters (spec: api 2.7).

A parameter is ``name`` or ``name*`` (may be left out), then its type: A integers, AS integers or acronyms, AF numbers,
AT texts, I, S, F, B.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..lake.errors import QueryError
from .rma_text import service_stage

PAGE = 2_000  # rows a service gives at once where nobody says

_PAGED = "start_row*:I num_rows*:I"
_SORTED = f"sort_order*:S {_PAGED}"
_COMPARED = f"donors1*:A structures1:A donors2*:A structures2:A sort_by*:S {_PAGED}"
_CORRELATED = f"donors*:A structures:AS probes:I {_SORTED}"
_PRIMATE = f"donors*:A structures:A probes:A {_SORTED}"
_ISH = f"structures1:A structures2:A threshold1*:A threshold2*:A {_PAGED}"

_DECLARED = {
    "dev_human_correlation": f"set*:S donors*:A structures:A probes:I {_SORTED}",
    "dev_human_differential": f"set:S {_COMPARED}",
    "dev_human_expression": f"set:S probes:I donors*:A structures*:A {_PAGED}",
    "dev_human_microarray_correlation": _CORRELATED,
    "gbm_correlation": _CORRELATED,
    "human_microarray_correlation": _CORRELATED,
    "dev_human_microarray_differential": _COMPARED,
    "gbm_differential": _COMPARED,
    "human_microarray_differential": _COMPARED,
    "nhp_lmd_microarray_differential": _COMPARED,
    "nhp_macro_microarray_differential": _COMPARED,
    "dev_human_microarray_expression": f"probes:A donors*:I structures*:I {_PAGED}",
    "gbm_expression": f"probes:I donors*:I structures*:I {_PAGED}",
    "human_microarray_expression": f"probes:A donors*:A structures*:A {_PAGED}",
    "nhp_lmd_microarray_expression": f"probes:A {_PAGED}",
    "nhp_macro_microarray_expression": f"probes:A {_PAGED}",
    "nhp_lmd_microarray_correlation": _PRIMATE,
    "nhp_macro_microarray_correlation": _PRIMATE,
    "dev_mouse_agea": "seed_age:S map_age:S seed_point:A seed_threshold:AF map_threshold:AF contrast_threshold*:A "
    f"target_threshold*:A {_PAGED}",
    "dev_mouse_correlation": f"row:I structures*:AS ages*:AT {_SORTED}",
    "gbm_ish_differential": _ISH,
    "gbm_ish_expression": f"structures:A threshold*:A {_PAGED}",
    "mouse_agea": "set:S seed_age:S map_age:S seed_point:AF correlation_threshold1*:F correlation_threshold2*:F "
    f"threshold1*:A threshold2*:A {_PAGED}",
    "mouse_correlation": f"set:S structures*:AS row:I {_SORTED}",
    "mouse_differential": f"set:S {_ISH}",
    "mouse_connectivity_correlation": "row:I structures*:AS product_ids*:A hemisphere*:S transgenic_lines*:AS "
    f"injection_structures*:AS primary_structure_only*:B {_SORTED}",
    "mouse_connectivity_injection_coordinate": "seed_point:AF transgenic_lines*:AS injection_structures*:AS "
    f"product_ids*:A primary_structure_only*:B {_PAGED}",
    "mouse_connectivity_injection_structure": "injection_structures:AS target_domain*:AS injection_hemisphere*:S "
    "target_hemisphere*:S transgenic_lines*:AS injection_domain*:AS product_ids*:A primary_structure_only*:B "
    f"{_PAGED}",
    "mouse_connectivity_target_spatial": "seed_point:AF transgenic_lines*:AS section_data_set*:I "
    f"injection_structures*:AS product_ids*:A primary_structure_only*:B {_PAGED}",
    "text_search": "query_string:S k:S",
}


@dataclass(frozen=True)
class Parameter:
    """A parameter of a service; ``kind`` is one of A AS AF AT I S F B."""

    name: str
    kind: str
    is_optional: bool


def _parameters(text: str) -> tuple[Parameter, ...]:
    found = []
    for word in text.split():
        name, _, kind = word.partition(":")
        found.append(Parameter(name.rstrip("*"), kind, name.endswith("*")))
    return tuple(found)


SERVICES: Mapping[str, tuple[Parameter, ...]] = {name: _parameters(text) for name, text in _DECLARED.items()}


def service_query(name: str, **given: Any) -> str:
    """The text that asks a service. Parameters that it has not, or that are None, are left out, as the reference does.

    Raises QueryError for a service that there is none, and where a parameter it needs is missing.
    """
    if name not in SERVICES:
        raise QueryError(f"the API has no service {name!r}: it has {', '.join(SERVICES)}")
    missing = [p.name for p in SERVICES[name] if not p.is_optional and given.get(p.name) is None]
    if missing:
        raise QueryError(f"service {name} needs {', '.join(missing)}")
    return service_stage(name, [(p.name, given[p.name]) for p in SERVICES[name] if given.get(p.name) is not None])
