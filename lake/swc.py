"""SWC files outside of a lake: checked one by one, and written from an answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

import numpy as np

from .errors import QueryError

if TYPE_CHECKING:
    import pyarrow as pa

    from ..udfs.morphology_checks import Finding

RULES = {"public": ("public",), "internal": ("internal",), "both": ("public", "internal")}
_COLUMNS = ("node_id", "node_type", "x", "y", "z", "radius", "parent_id")


def check_swc(path: Path, rules: str = "both") -> list[Finding]:
    """The rules that an SWC file breaks (spec MO-4, MO-5); an empty list for a sound file.

    rules : a key of :data:`RULES`

    Raises SourceError where it is no SWC file.
    """
    from ..ingest.contract import Source
    from ..ingest.swc_text import read_swc
    from ..udfs.morphology_checks import Finding, findings
    from ..udfs.morphology_operations import build_nodes
    from ..udfs.registry import Ragged

    swc = read_swc(Source(path, str(path)))
    columns = swc.columns()
    nodes = build_nodes(**{name: Ragged.of([values]) for name, values in columns.items()})
    found = findings(columns["swc_ids"], columns["swc_parents"], nodes)
    if swc.strict_complaint:
        found.insert(0, Finding("public", "one_blank_between_fields", swc.strict_complaint))
    return [finding for finding in found if finding.rule_set in RULES[rules]]


def check_lines(paths: Sequence[Path], rules: str) -> Iterator[tuple[bool, list[str]]]:
    """For each file whether it passes, and what to say of it: PASS or FAIL, then a line a finding."""
    from .errors import SourceError

    for path in paths:
        try:
            found = check_swc(path, rules)
        except SourceError as error:
            yield False, [f"FAIL {path}", f"    {str(error).removeprefix(f'{path}: ')}"]
            continue
        is_sound = all(finding.severity == "warning" for finding in found)
        notes = []
        for finding in found:
            at = "" if finding.original_id is None else f" (first: node {finding.original_id})"
            notes.append(f"    {finding.severity}, {finding.rule_set} {finding.rule}: {finding.message}{at}")
        yield is_sound, [f"{'PASS' if is_sound else 'FAIL'} {path}", *notes]


def write_swc(batches: pa.RecordBatchReader, stream: IO[bytes], _rows: int = 0) -> None:
    """The nodes of one reconstruction as an SWC file, by node_id, with four decimals (spec MO-6).

    Raises QueryError where the answer is not the nodes of one reconstruction.
    """
    from ..udfs.morphology_checks import SWC_HEADER, SWC_LINE
    from .forms import to_numpy

    names = batches.schema.names
    if missing := [name for name in _COLUMNS if name not in names]:
        hint = "ask for morphology.nodes_of(specimen), or morphology.nodes_in(trees)"
        raise QueryError(f"an SWC file needs a column {missing[0]}: the answer has {', '.join(names)} ({hint})")
    table = batches.read_all()
    if "morphology_id" in names and len(table["morphology_id"].unique()) > 1:
        raise QueryError("the answer has the nodes of several reconstructions, and an SWC file holds one")
    columns = {name: to_numpy(table[name]) for name in _COLUMNS}
    order = np.argsort(columns["node_id"], kind="stable")
    if len(np.unique(columns["node_id"])) < len(order):
        raise QueryError("the answer has a node_id twice, and an SWC file holds one reconstruction")
    stream.write(SWC_HEADER.encode())
    rows = zip(*(columns[name][order].tolist() for name in _COLUMNS), strict=True)
    stream.write("".join(SWC_LINE % row for row in rows).encode())
