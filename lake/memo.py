"""Stored answers of views, one file a partition: a cache, never a fact.

A memo is ``cache/<view>/<column>=<value>/<fingerprint>.parquet``. The fingerprint covers all that its rows depend on:
the SQL of the view and of everything below it, the kernels it calls, and the ingests that hold rows of the partition
or of tables without partitions. So a memo whose file exists is fresh: nothing is ever invalidated, processes do not
race, and deleting ``cache/`` loses nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from .errors import BrainlakeError, CatalogError, LostMemoError, QueryError, UnknownError, as_writing_error
from .functions import declared
from .questions import Question, below
from .relations import RELATIONS
from .workers import Died, Workers
from .writer import writers_lock

if TYPE_CHECKING:
    from .session import Session

MOST_LIVE = 100  # partitions computed beside stored ones; with more, the whole view is computed
_TRIES = 5  # to compute a memo from others that are taken out meanwhile
_KEPT_S = 86_400.0  # a memo that is fresh no more stays so long, for sessions on earlier snapshots
_IMPORTED = re.compile(r"^from \.(\w*) import (.+)$", re.MULTILINE)

Progress = Callable[[str, str, int, int], None]


@dataclass(frozen=True)
class Memos:
    """What is stored of a view at one snapshot.

    fingerprints : partition -> what its memo is called, for every partition that the tables below the view have
    rest : what the memo of rows without a partition is called, as units of which no session is known; any ingest may
        give them one
    """

    view: str
    column: str
    root: Path
    fingerprints: Mapping[int, str]
    rest: str

    def path(self, value: int | None) -> Path:
        """Where a partition's memo is, or would be; None: that of rows without one."""
        folder = self.root / "cache" / self.view
        if value is None:
            return folder / "rest" / f"{self.rest}.parquet"
        return folder / f"{self.column}={value}" / f"{self.fingerprints[value]}.parquet"

    @cached_property
    def stored(self) -> tuple[int, ...]:
        """Partitions whose memo is fresh."""
        return tuple(value for value in self.fingerprints if self.path(value).exists())

    @cached_property
    def missing(self) -> tuple[int, ...]:
        return tuple(sorted(set(self.fingerprints) - set(self.stored)))

    @cached_property
    def has_rest(self) -> bool:
        """Whether the memo of rows without a partition is fresh."""
        return self.path(None).exists()

    @property
    def are_there(self) -> bool:
        """Whether nobody has removed any since."""
        return all(map(os.path.exists, self.paths)) and (not self.has_rest or self.path(None).exists())

    @property
    def serve(self) -> bool:
        """Whether questions are answered from the memos."""
        return bool(self.stored) and len(self.missing) <= MOST_LIVE

    @property
    def paths(self) -> list[str]:
        return [str(self.path(value)) for value in self.stored]

    @property
    def variable(self) -> str:
        return f"memos_{self.view}"

    def over(self, question: Question) -> Question:
        """The view as the union of its memos and, for the partitions without one, of its own query."""
        columns = ", ".join(f'"{name}"' for name in pq.read_schema(self.path(self.stored[0])).names)
        types = f"{{'{self.column}': BIGINT}}"
        body = (
            f"select {columns} from read_parquet(getvariable('{self.variable}'), "
            f"hive_partitioning = true, hive_types = {types})"
        )
        live = f"\nunion all\nselect {columns} from (\n{question.body}\n) where {self.column}"
        if self.missing:
            body += f"{live} in ({', '.join(map(str, self.missing))})"
        if self.has_rest:
            path = str(self.path(None)).replace("'", "''")
            body += f"\nunion all\nselect {columns} from read_parquet('{path}', hive_partitioning = false)"
        else:
            body += f"{live} is null"
        return replace(question, body=body)


def memos_of(session: Session, view: str) -> Memos:
    """What is stored of a view. Raises QueryError where its answer has no partitions."""
    question = session.questions.get(view)
    if question is None or question.kind != "view":
        kind = f"is a {question.kind}" if question else "is no view"
        raise UnknownError(f"{view} {kind}: views whose answers can be kept are listed by `brainlake materialize`")
    if not question.partition:
        raise QueryError(f"{view} cannot be kept: its answer does not fall into partitions")
    names = below([view], session.questions)
    if told := names & RELATIONS.keys():
        raise QueryError(f"{view} cannot be kept: it rests on {min(told)}, which changes with every commit")
    code = _code(session, names)
    common, of_partition = _ingests(session, sorted(names & session.state.tables.keys()), question.partition)
    fingerprints = {}
    for value in sorted(of_partition):
        digest = hashlib.sha256(code)
        digest.update(common)
        digest.update("\n".join(of_partition[value]).encode())
        fingerprints[value] = digest.hexdigest()[:32]
    rest = hashlib.sha256(code + common + json.dumps(of_partition, sort_keys=True).encode()).hexdigest()[:32]
    return Memos(view, question.partition, session.state.root, fingerprints, rest)


def can_be_kept(questions: Mapping[str, Question]) -> list[str]:
    """Views that have partitions."""
    return sorted(
        name
        for name, q in questions.items()
        if q.kind == "view" and q.partition and not below([name], questions) & RELATIONS.keys()
    )


def _code(session: Session, names: Iterable[str]) -> bytes:
    """Digest of the queries and kernels below a view, and of the declarations of its tables."""
    digest = hashlib.sha256()
    for name in sorted(names):
        if name in session.questions:
            digest.update(session.questions[name].create.encode())
        else:
            digest.update(f"{name} {session.state.tables[name].spec.version}".encode())
    text = " ".join(session.questions[name].body for name in names if name in session.questions)
    for name, udf in sorted(declared().items()):
        if re.search(rf"\b{name}\s*\(", text):
            digest.update(f"{name} {kernel_digest(udf.function.__module__)}".encode())
    return digest.digest()


@cache
def kernel_digest(module: str) -> str:
    """Digest of a kernel's module and of those beside it that it imports."""
    package, _, start = module.rpartition(".")
    folder = Path(__file__).resolve().parent.parent / "udfs" if package.endswith("udfs") else None
    if folder is None:  # a kernel registered by its user
        import importlib

        file = importlib.import_module(module).__file__
        return hashlib.sha256(Path(file).read_bytes()).hexdigest() if file else module
    digest, seen, todo = hashlib.sha256(), set[str](), [start]
    while todo:
        name = todo.pop()
        path = folder / f"{name}.py"
        if name in seen or not path.exists():
            continue
        seen.add(name)
        content = path.read_text(encoding="utf-8")
        digest.update(f"{name} {content}".encode())
        for stem, imported in _IMPORTED.findall(content):
            todo += sorted([stem] if stem else (part.strip() for part in imported.split(",")))
    return digest.hexdigest()


def _ingests(session: Session, tables: Sequence[str], column: str) -> tuple[bytes, dict[int, list[str]]]:
    """What a view's rows come from: of tables without the column as a digest, of the others for each partition."""
    common = hashlib.sha256()
    found: dict[int, list[str]] = {}
    for name in tables:
        state = session.state.tables[name]
        if state.spec.partition == column:
            for file in state.files:
                assert file.partition_value is not None
                found.setdefault(file.partition_value, []).append(f"{name} {file.path}")  # a file never changes
        elif state.spec.is_bulk:
            common.update("".join(f"{name} {file.path}\n" for file in state.files).encode())
        else:
            # Small tables are folded, so it is not the file but the ingest that tells what a row is.
            group = column if column in state.spec.arrow.names else "null"
            query = f"select {group}, list(distinct ingest_id order by ingest_id) from {name} group by all order by all"
            with session.cursor(query) as cursor:
                rows = cursor.execute(query).fetchall()
            for value, ids in rows:
                if group == "null" or value is None:
                    common.update(f"{name} {ids}\n".encode())
                else:
                    found.setdefault(int(value), []).append(f"{name} {ids}")
    return common.digest(), {value: sorted(parts) for value, parts in found.items()}


# --- computing ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class MemoJob:
    """One partition of a view to be computed and kept; None: its rows without one."""

    root: Path
    snapshot_id: int
    view: str
    column: str
    value: int | None
    path: Path


@dataclass(frozen=True)
class Materialized:
    """What :func:`materialize` did: partitions computed now, those that were fresh, and those that failed, with why."""

    view: str
    computed: tuple[int, ...] = ()
    fresh: tuple[int, ...] = ()
    failed: Mapping[int | None, str] = field(default_factory=dict)

    def raise_failed(self) -> None:
        """Raise the first failure, if there is one."""
        for value, reason in self.failed.items():
            raise BrainlakeError(f"{self.view}, {which(value)}: {reason}")


def which(value: int | None) -> str:
    """A partition, for people."""
    return "rows of no partition" if value is None else f"partition {value}"


def materialize(
    session: Session,
    view: str,
    where: str | None = None,
    jobs: int | None = None,
    progress: Progress = lambda *_: None,
) -> Materialized:
    """Compute and keep a view's answer for the partitions that have none, in parallel processes.

    where : a condition on the view's partition column alone, as ``specimen_id in (1, 2)``
    Raises QueryError where the view's answer cannot be kept or the condition names something else.
    """
    memos = memos_of(session, view)
    wanted = _chosen(session, memos, where)
    missing: list[int | None] = [value for value in wanted if value in set(memos.missing)]
    if not memos.has_rest:
        missing.append(None)
    work = [MemoJob(memos.root, session.snapshot_id, view, memos.column, value, memos.path(value)) for value in missing]
    failed: dict[int | None, str] = {}
    for done, (index, answer) in enumerate(_computed(work, jobs or os.cpu_count() or 1), start=1):
        if answer:
            failed[missing[index]] = answer
        progress(view, f"{done} of {len(work)} partitions", done, len(work))
    progress(view, "done", 1, 1)
    computed = tuple(value for value in missing if value is not None and value not in failed)
    return Materialized(view, computed, tuple(sorted(set(wanted) - set(missing))), failed)


def _computed(work: Sequence[MemoJob], jobs: int) -> Iterator[tuple[int, str]]:
    """Index of each job and why it failed, or nothing; one job at a time needs no process of its own."""
    if jobs == 1 or len(work) == 1:
        yield from enumerate(map(compute, work))
        return
    for index, answer in Workers(f"{__name__}:compute", jobs).run(work, lambda *_: None):
        yield index, answer.reason if isinstance(answer, Died) else answer


def _chosen(session: Session, memos: Memos, where: str | None) -> list[int]:
    """The partitions that a condition on their column picks."""
    values = list(memos.fingerprints)
    if where is None:
        return values
    table = pa.table({memos.column: pa.array(values, pa.int64())})
    query = f"select {memos.column} from partitions where {where}"
    try:
        chosen = session.sql(query, tables={"partitions": table}).arrow()
    except QueryError as error:
        reason = str(error).splitlines()[0]
        raise QueryError(f"--where may name {memos.column} alone, as `{memos.column} in (1, 2)`: {reason}") from None
    return sorted(chosen[memos.column].to_pylist())


def compute(job: MemoJob, progress: Callable[[str, int, int], None] = lambda *_: None) -> str:
    """Compute one partition and keep it; returns why it failed, or nothing."""
    from .catalog import Catalog
    from .session import Session

    try:
        catalog = Catalog.open(job.root)
        session = Session(catalog.state(job.snapshot_id))
        try:
            condition = "is null" if job.value is None else f"= {job.value}"
            answer = session.sql(f"select * from {job.view} where {job.column} {condition}")
            with writers_lock(job.root):  # `check --repair` takes no draft that is being written
                for tries_left in reversed(range(_TRIES)):
                    try:
                        _keep(answer.reader(), job.path)
                        break
                    except LostMemoError:  # of a view below this one, which somebody takes out meanwhile
                        session.forget_memos()
                        if not tries_left:
                            raise
        finally:
            session.close()
            catalog.close()
    except (BrainlakeError, duckdb.Error) as error:
        return str(error)
    except OSError as error:
        return str(as_writing_error(error, job.root))
    return ""


def _keep(answer: pa.RecordBatchReader, path: Path) -> None:
    """Write a memo; it has its name once it is whole. Older ones of the partition go after a day."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{uuid.uuid4()}.part")
    try:
        with pq.ParquetWriter(draft, answer.schema, compression="zstd") as writer:
            for batch in answer:
                writer.write_batch(batch)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    for other in path.parent.iterdir():
        if other != path and time.time() - other.stat().st_mtime > _KEPT_S:
            other.unlink(missing_ok=True)


def prune(session: Session, kept_s: float = _KEPT_S) -> tuple[int, int]:
    """Remove memos that are not fresh at the session's snapshot and older than so many seconds: number and bytes.

    Sessions on earlier snapshots compute what they find no more.
    """
    root = session.state.root / "cache"
    fresh: set[Path] = set()
    for view in set(can_be_kept(session.questions)) & {folder.name for folder in _folders(root)}:
        memos = memos_of(session, view)
        fresh |= {memos.path(value) for value in (*memos.fingerprints, None)}
    count = size = 0
    for path in root.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            status = path.lstat()
            if not path.is_dir() and path not in fresh and time.time() - status.st_mtime >= kept_s:
                path.unlink()
                count, size = count + 1, size + status.st_size
    # Somebody may be about to keep an answer in an empty folder: those go when nobody writes, or another time.
    with contextlib.suppress(CatalogError), writers_lock(session.state.root, exclusive=True):
        for folder in sorted(_folders(root, deep=True), reverse=True):
            if not any(folder.iterdir()):
                folder.rmdir()
    return count, size


def _folders(root: Path, deep: bool = False) -> list[Path]:
    return [path for path in (root.rglob("*") if deep else root.glob("*")) if path.is_dir()]


# --- telling --------------------------------------------------------------------------------------------------------


def explain(session: Session, query: str) -> pa.Table:
    """How a question will be answered: a row for each relation that it rests on."""
    session.sql(query)  # a question with a mistake is refused as ever
    rows = []
    for name in sorted(session.named(query)):
        if name in session.state.tables:
            files = session.state.tables[name].files
            rows.append((name, "table", f"stored in {len(files)} files" if files else "empty"))
        elif name in session.questions:
            rows.append((name, session.questions[name].kind, _told(session, session.questions[name])))
        else:
            rows.append((name, "catalogue", "read from the catalogue"))
    names, kinds, answers = zip(*rows, strict=True) if rows else ((), (), ())
    return pa.table({"name": pa.array(names, pa.string()), "kind": pa.array(kinds, pa.string()),
                     "answered": pa.array(answers, pa.string())})  # fmt: skip


def _told(session: Session, question: Question) -> str:
    if question.kind != "view" or question.name not in can_be_kept(session.questions):
        return "computed"
    memos = memos_of(session, question.name)
    n, stored = len(memos.fingerprints), len(memos.stored)
    if memos.serve:
        return f"kept: {stored} of {n} partitions" + (f", {n - stored} computed" if stored < n else "")
    why = f"computed: {stored} of {n} partitions are kept"
    return why if not stored else f"{why}, and over {MOST_LIVE} are missing"
