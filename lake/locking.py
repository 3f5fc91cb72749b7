"""An answer written down for good: its question, sources, code and values; and later, whether it is still the same."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from . import answers
from .digests import file_digest
from .errors import BrainlakeError
from .frames import as_arrow
from .provenance import provenance
from .remedies import brings
from .whole_files import whole_file

if TYPE_CHECKING:
    from .relation import Relation
    from .session import Session

FORMAT = 1  # of the file; a newer one is refused
MOST_BYTES = 256 << 20  # an answer that takes more in memory is locked by digest and summary alone


def lock(relation: Relation, file: Path) -> Path:
    """Write a lock file, and beside it the answer and the frames that the question was given, as Parquet."""
    if file.suffix.lower() == ".parquet":
        raise BrainlakeError(f"{file}: the answer lies beside a lock file as Parquet: name it {file.stem}.lock")
    table = relation.arrow()
    stored = table.nbytes <= MOST_BYTES
    given = {name: _beside(file, f".{name}") for name in relation._tables}
    for name, path in given.items():
        _write(path, as_arrow(relation._tables[name]))
    if stored:
        _write(_beside(file), table)
    facts = {
        "brainlake_lock": FORMAT,
        "query": relation.query,
        "provenance": provenance(relation),
        "given": {name: {"file": path.name, "sha256": file_digest(path)} for name, path in given.items()},
        "answer": {
            "n_rows": table.num_rows,
            "columns": answers.summary(table),
            "is_ordered": is_ordered(relation.query),
            "digest": answers.digest(table),
            "digest_of_sorted_rows": answers.digest(table, ordered=False),
            "file": _beside(file).name if stored else None,
            "sha256": file_digest(_beside(file)) if stored else None,
        },
    }
    with whole_file(file) as stream:
        stream.write(json.dumps(facts, indent=2).encode() + b"\n")
    return file


def is_ordered(query: str) -> bool:
    """Whether a query says in which order its rows come."""
    with duckdb.connect() as con:
        (text,) = con.execute("select json_serialize_sql(?)", [query]).fetchone() or ("{}",)
    statements = json.loads(text).get("statements") or [{}]
    modifiers = statements[0].get("node", {}).get("modifiers") or ()
    return any(one.get("type") == "ORDER_MODIFIER" for one in modifiers)


def _beside(file: Path, what: str = "") -> Path:
    """Where an answer or a frame lies: ``figure.parquet`` of ``figure.json``, ``paper.lock.parquet`` of ``paper.lock``."""
    name = file.stem if file.suffix.lower() == ".json" else file.name
    return file.with_name(f"{name}{what}.parquet")


def _write(path: Path, table: pa.Table) -> None:
    with whole_file(path) as stream:
        pq.write_table(table, stream, compression="zstd")


# --- later ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Compared:
    """One thing that a lock file tells, now: ``same``, ``changed``, ``missing`` or ``new``; and what to do."""

    what: str
    state: str
    note: str = ""

    @property
    def line(self) -> str:
        """One line for people."""
        return f"{self.state:<8} {self.what}" + (f": {self.note}" if self.note else "")


@dataclass(frozen=True)
class Restored:
    """What a lock file tells against what is there now. ``same`` is about the answer; ``identical`` about everything
    that it was made of, too.
    """

    file: Path
    compared: tuple[Compared, ...]
    same: bool

    @property
    def identical(self) -> bool:
        """Whether sources, readers, views, functions and the answer all are as they were."""
        return self.same and all(one.state in ("same", "noted") for one in self.compared)

    def summary(self) -> str:
        """A line a thing, then the verdict."""
        verdict = "the answer is the same" if self.same else "the answer differs"
        if self.same and not self.identical:
            verdict += ", although not all that it was made of is"
        return "\n".join([*(one.line for one in self.compared), verdict])


def restore(session: Session, file: Path, relative: float = answers.RELATIVE) -> Restored:
    """Compare what a lock file tells with what is there now.

    relative : floats whose difference is at most this, relative to the larger, are the same

    Raises BrainlakeError where the file is no lock file, a newer brainlake's, or lies without what belongs to it.
    """
    facts = _read(file)
    try:
        given = {name: _given(file, told) for name, told in facts["given"].items()}
        params = facts["provenance"]["params"]
        relation = session.sql(facts["query"], params or None, given)
        now: Mapping[str, Any] = provenance(relation)
        found = list(_of_provenance(facts["provenance"], now))
    except BrainlakeError as error:
        found = [Compared("answer", "missing", f"the question can no longer be asked: {error}")]
        return Restored(file, tuple(found), False)
    except (KeyError, TypeError, AttributeError) as error:
        raise BrainlakeError(f"{file}: is no whole lock file: {error} is not in it") from None
    try:
        answer = _of_answer(file, facts["answer"], relation.arrow(), relative)
    except BrainlakeError as error:
        answer = [Compared("answer", "missing", str(error).splitlines()[0])]
    same = all(one.state in ("same", "noted") for one in answer)
    return Restored(file, (*found, *answer), same)


def _read(file: Path) -> dict[str, Any]:
    try:
        facts = json.loads(file.read_text(encoding="utf-8"))
        version = int(facts["brainlake_lock"])
    except OSError as error:
        raise BrainlakeError(f"{file}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise BrainlakeError(f"{file}: is no lock file (rel.lock(file) writes them)") from None
    if version > FORMAT:
        raise BrainlakeError(f"{file}: was written by a newer brainlake: upgrade brainlake to read it")
    return dict(facts)


def _given(file: Path, told: Mapping[str, str]) -> pa.Table:
    path = file.with_name(told["file"])
    if not path.exists():
        raise BrainlakeError(f"{path} is not beside {file.name}: the question was given it")
    if file_digest(path) != told["sha256"]:
        raise BrainlakeError(f"{path} is not what the question was given: its SHA-256 differs")
    return pq.read_table(path, partitioning=None)


def _of_provenance(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Compared]:
    for name, a, b in [
        *((name, before[name], now[name]) for name in ("brainlake", "duckdb")),
        *((name, version, now["packages"].get(name)) for name, version in before["packages"].items()),
        ("snapshot", before["snapshot"], now["snapshot"]),
    ]:
        yield Compared(name, "same" if a == b else "noted", str(a) if a == b else f"was {a}, is {b}")
    yield from _of_sources(before["sources"], now["sources"])
    for kind, one in (("tables", "table"), ("questions", "view"), ("udfs", "function")):
        a, b = before[kind], now[kind]
        for name in sorted({*a, *b}):
            state = "same" if a.get(name) == b.get(name) else "changed" if name in a and name in b else "missing"
            yield Compared(f"{one} {name}", "new" if name not in a else state)


def _of_sources(before: list[dict[str, Any]], now: list[dict[str, Any]]) -> Iterator[Compared]:
    old, new = ({(one["subject"], one["role"]): one for one in side} for side in (before, now))
    for key in sorted({*old, *new}):
        what = f"source {key[0]} ({key[1]})"
        if key not in new:
            yield Compared(what, "missing", _command(old[key]))
        elif key not in old:
            yield Compared(what, "new", f"from {new[key]['source_url']}")
        else:
            notes = [
                f"{name} was {_short(old[key][name])}, is {_short(new[key][name])}"
                for name in ("source_sha256", "reader", "reader_version", "options", "parts")
                if old[key][name] != new[key][name]
            ]
            if old[key]["source_sha256"] != new[key]["source_sha256"]:
                notes.append(f"{_command(old[key])} brings the one of then, if it is still there")
            yield Compared(what, "changed" if notes else "same", "; ".join(notes))


def _command(source: Mapping[str, Any]) -> str:
    options = json.loads(source["options"])
    return f"`{brings(source['subject'], source['source_url'], source['parts'], options)}`"


def _short(value: Any) -> str:
    text = str(value)
    return f"{text[:12]}…" if len(text) == 64 else text


def _of_answer(file: Path, told: Mapping[str, Any], table: pa.Table, relative: float) -> list[Compared]:
    ordered = bool(told["is_ordered"])
    if answers.digest(table) == told["digest"]:
        return [Compared("answer", "same", f"{table.num_rows:,} rows, to the last bit")]
    if answers.digest(table, ordered=False) == told["digest_of_sorted_rows"]:
        note = f"{table.num_rows:,} rows, to the last bit"
        return [Compared("answer", "same", f"{note}, equal ones in another order" if ordered else note)]
    before = _answer_of_then(file, told)
    if before is None:
        return list(_of_summary(told, table))
    found = answers.compare(before, table, relative, ordered)
    if found.same:
        worst = max((one.relative or 0.0 for one in found.within), default=0.0)
        names = ", ".join(one.name for one in found.within)
        note = f"{table.num_rows:,} rows, within {relative:g}" + (f" ({names}: {worst:.2g} at most)" if names else "")
        return [Compared("answer", "same", note)]
    return [Compared("answer", "changed", line) for line in found.lines]


def _answer_of_then(file: Path, told: Mapping[str, Any]) -> pa.Table | None:
    path = file.with_name(told["file"]) if told["file"] else None
    if path is None or not path.exists() or file_digest(path) != told["sha256"]:
        return None
    return pq.read_table(path, partitioning=None)


def _of_summary(told: Mapping[str, Any], table: pa.Table) -> Iterator[Compared]:
    """What differs, where the values of then are not at hand."""
    if told["n_rows"] != table.num_rows:
        yield Compared("answer", "changed", f"rows: {told['n_rows']:,} before, {table.num_rows:,} now")
    now = {one["name"]: one for one in answers.summary(table)}
    notes = [f"column {name} is new" for name in now if name not in {one["name"] for one in told["columns"]}]
    for one in told["columns"]:
        notes += answers.told_apart(one, now[one["name"]]) if one["name"] in now else [f"column {one['name']} is gone"]
    for note in notes or ["its digest; the values of then are not at hand to tell where"]:
        yield Compared("answer", "changed", note)
