"""Where an answer comes from: the sources that may have contributed, and the code that made it of them."""

from __future__ import annotations

import hashlib
import importlib.metadata
import inspect
import re
from collections.abc import Iterable, Mapping, Set
from typing import TYPE_CHECKING, Any

import duckdb

from .answers import digest
from .calls import without_calls
from .datasets import DATASETS, entries, named, software
from .frames import as_arrow
from .functions import declared
from .memo import kernel_digest
from .pruning import restricted
from .questions import below

if TYPE_CHECKING:
    from .relation import Relation
    from .session import Session

COMPUTING = ("numpy", "scipy", "pyarrow")  # packages that values go through
# What tells a source and how it was read; the rest of an ingest (who, when) is in lake.ingests.
SOURCE_FACTS = (
    "subject", "role", "source_url", "source_size_bytes", "source_sha256", "reader", "reader_version", "options",
    "parts", "dataset", "version", "doi", "licence", "citation",
)  # fmt: skip


def provenance(relation: Relation) -> dict[str, Any]:
    """Snapshot, sources with SHA-256 and reader, versions, and a hash of every table's declaration, view, macro and
    function that the question rests on. All of it can be written as JSON.

    A source is left out where it is certain that no row of it was needed: its rows lie in partitions that the question
    does not ask for (``where session_id = 5``). Where a question does not say, every source of its tables is told.
    """
    from ..version import __version__

    session = relation._session
    names = sorted(session.named(relation.query))
    tables = [name for name in names if name in session.state.tables]
    questions = {name: session.questions[name] for name in names if name in session.questions}
    text = " ".join([relation.query, *(q.body for q in questions.values())])
    return {
        "brainlake": __version__,
        "duckdb": duckdb.__version__,
        "packages": {name: importlib.metadata.version(name) for name in COMPUTING},
        "lake": str(session.state.root),
        "snapshot": session.snapshot_id,
        "committed_at_utc": _committed(session),
        "query": relation.query,
        "params": _params(relation._params),
        "given": {name: digest(as_arrow(frame)) for name, frame in relation._tables.items()},
        "sources": sources(session, relation, tables),
        "tables": {name: session.state.tables[name].spec.version for name in tables},
        "questions": {name: _hash(question.create) for name, question in questions.items()},
        "udfs": kernels(text),
    }


def cite(relation: Relation) -> str:
    """BibTeX of what an answer's sources ask to be cited, each entry once, and of the software."""
    from ..version import __version__

    found = provenance(relation)["sources"]
    return "\n\n".join(entries([*citations(found), software(__version__).bibtex])) + "\n"


def citations(found: Iterable[Mapping[str, Any]]) -> list[str]:
    """BibTeX texts of sources: what was recorded, else what is known of their collection or DOI."""
    texts: dict[str, None] = {}
    for source in found:
        name, doi = source.get("dataset"), source.get("doi")
        text = source.get("citation") or (DATASETS[name].citation if name and name in DATASETS else None)
        if text is None and (name or doi):
            text = named(name, source.get("version"), doi).bibtex
        if text:
            texts.setdefault(text)
    return list(texts)


def kernels(text: str) -> dict[str, str]:
    """A hash of each function of ours that a text of SQL calls: of its module, and of those that this imports."""
    used = {name: udf for name, udf in declared().items() if re.search(rf"\b{name}\s*\(", text)}
    found = {}
    for name, udf in sorted(used.items()):
        own = inspect.getsource(udf.function)
        found[name] = _hash(f"{own} {kernel_digest(udf.function.__module__)}")
    return found


def sources(session: Session, relation: Relation, tables: list[str]) -> list[dict[str, Any]]:
    """Facts of each ingest that may have contributed, in order of subject and role."""
    ids: set[int] = set()
    needed = _needed(session, relation, list(tables))
    files = session.state.relations["lake.files"]().to_pylist()
    for name in tables:
        asked = needed.get(name)
        spec = session.state.tables[name].spec
        if asked and not all(column == spec.partition for column in asked):
            ids |= _of_rows(session, name, asked)
            continue
        wanted = asked[spec.partition] if asked and spec.partition else None
        for file in files:
            if file["table_name"] == name and (wanted is None or file["partition_value"] in wanted):
                ids.update(map(int, file["ingest_ids"] or ()))
    if "nwb_table" in relation.query.lower():
        ids |= {one.ingest_id for one in session.state.attachments if one.name.strip("/") in relation.query}
    found = [i for i in session.state.relations["lake.ingests"]().to_pylist() if i["ingest_id"] in ids]
    found.sort(key=lambda i: (i["subject"], i["role"]))
    return [{name: one.get(name) for name in SOURCE_FACTS} for one in found]


def _needed(session: Session, relation: Relation, tables: list[str]) -> dict[str, dict[str, frozenset[int]]]:
    """Table -> column -> the only values of it whose rows the question can need, where that is certain."""
    specs = {name: session.state.tables[name].spec for name in tables}
    text, calls = without_calls(session, relation)
    mentioned = session.mentioned(text)
    outside = below(mentioned, session.questions)
    found: dict[str, dict[str, frozenset[int]]] = {}
    for column in sorted({spec.partition for spec in specs.values() if spec.partition}):
        having = {name: column for name, spec in specs.items() if column in spec.arrow.names}
        with session.cursor("select 1") as cursor:
            asked = restricted(cursor, text, relation._params, mentioned, session.questions, having)
        of_calls = [(below(call.names, session.questions), call.values(column)) for call in calls]
        for name in having:
            needs: list[Set[int] | None] = [asked.get(name)] if name in outside else []
            needs += [values for names, values in of_calls if name in names]
            if needs and None not in needs:
                found.setdefault(name, {})[column] = frozenset().union(*(one for one in needs if one is not None))
    return found


def _of_rows(session: Session, name: str, asked: Mapping[str, frozenset[int]]) -> set[int]:
    """Ingests that hold rows with the values asked for, or with none."""
    terms = [f'("{column}" in (select unnest(?)) or "{column}" is null)' for column in asked]
    query = f"select distinct ingest_id from {name} where {' and '.join(terms)}"
    values = [sorted(one) for one in asked.values()]
    with session.cursor(f"from {name}") as cursor:
        return {int(row[0]) for row in cursor.execute(query, values).fetchall()}


def _committed(session: Session) -> str | None:
    for row in session.state.relations["lake.snapshots"]().to_pylist():
        if row["snapshot_id"] == session.snapshot_id:
            return str(row["committed_at_utc"].isoformat(timespec="microseconds"))
    return None


def _params(params: Any) -> Any:
    if isinstance(params, Mapping):
        return {str(name): _plain(value) for name, value in params.items()}
    return [_plain(value) for value in params] if params else None


def _plain(value: Any) -> Any:
    if hasattr(value, "tolist"):  # numpy
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
