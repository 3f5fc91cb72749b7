"""From sources to commits: the one module of the engine that knows readers.

Each file is one job in a process of its own and one commit; a file that fails stops no other.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..ingest import registry, sources
from ..ingest.contract import Attachment, Reader, Report, Source
from .catalog import Catalog, IngestState
from .citing import Told, recorded
from .errors import BrainlakeError, CatalogError, ForeignError, SourceError
from .folding import fold_small_tables
from .ingest_report import IngestReport, Item, Progress, Status
from .remedies import OWN_OPTIONS
from .tables import TABLES
from .workers import Died, Workers
from .writer import IngestWriter

DONE = ("ingested", "replaced", "unchanged")  # what a source is when all that was asked of it is in the lake
HASH_BLOCK = 1 << 20  # bytes
FOLD_EVERY = 256  # files of a long run after which small tables are folded: keys are checked against fewer files


@dataclass(frozen=True)
class Job:
    """One file to ingest, and how."""

    root: Path
    source: Source
    parts: tuple[str, ...] | None = None
    with_parts: tuple[str, ...] = ()
    as_reader: str | None = None
    dry_run: bool = False
    salvage: bool = False
    told: Told = Told()  # noqa: RUF009 (it is frozen)


def ingest(
    catalog: Catalog,
    arguments: Iterable[str | Path] = (),
    *,
    parts: Sequence[str] | None = None,
    with_parts: Sequence[str] = (),
    as_reader: str | None = None,
    dry_run: bool = False,
    stale: bool = False,
    jobs: int | None = None,
    salvage: bool = False,
    settings: Mapping[str, str] | None = None,
    told: Told | None = None,
    discard_raw: bool = False,
    progress: Progress | None = None,
) -> IngestReport:
    """Ingest files, folders, globs and URLs; with ``stale``, redo what older readers or declarations wrote.

    parts : only these; with_parts : these beside the default ones and those that are here of a source
    as_reader : the reader to use where several or none claim a source
    jobs : files read at the same time; by default as many as there are processors
    salvage : take what is consistent of damaged sources
    settings : facts that the sources do not tell, for the readers that ask for them
    told : the collection that the sources are of, where they do not tell it rightly
    discard_raw : remove each download below ``raw/`` when it is ingested
    Raises SourceError where an argument leads to no source; a source that fails is an item of the report.
    """
    if not dry_run:
        catalog.require_writable()
    lost: list[Item] = []
    how = (_names(parts), tuple(with_parts), as_reader, dry_run, salvage, told or Told())
    set_ = tuple(sorted((settings or {}).items()))
    n_jobs = jobs or os.cpu_count() or 1
    with sources.fetching(catalog.root / "raw") as fetch:

        def work() -> Iterator[Job]:
            for source in fetch.each(arguments):
                yield Job(catalog.root, replace(source, settings=set_), *how)
            if stale:
                yield from _stale_work(catalog, fetch, dry_run, lost)

        todo = work()
        # What is not to stay is fetched when it is its turn; else everything is there before the first is read.
        groups = iter(lambda: list(itertools.islice(todo, n_jobs)), []) if discard_raw else [list(todo)]
        show = progress or (lambda *_: None)
        upkeep = _Upkeep(catalog)
        items = [item for group in groups for item in _run(group, n_jobs, show, upkeep, discard_raw)]
    redone = {(item.subject, item.role) for item in items if item.status in DONE}  # from where they lie now
    items += [item for item in lost if (item.subject, item.role) not in redone]
    if not dry_run:
        upkeep.remember_failed(items)
        upkeep.fold()
    return IngestReport(tuple(items), tuple(upkeep.notes))


def _stale_work(catalog: Catalog, fetch: sources.Fetcher, dry_run: bool, lost: list[Item]) -> Iterator[Job]:
    """Jobs that redo what is stale; what cannot be read again goes to ``lost``."""
    discarded = catalog.discarded() if dry_run else {}
    for old in stale_ingests(catalog):
        if old.source_url in discarded:
            lost.append(_to_fetch(old, discarded[old.source_url]))
            continue
        try:
            for source in fetch.each([old.source_url]):
                yield _redone(catalog, old, source, dry_run)
        except SourceError as error:
            lost.append(_gone(old, error))


def _gone(old: IngestState, error: SourceError) -> Item:
    """A source that must be read again and is not there."""
    text = f"{error}: what it gave stays as an older reader wrote it; bring the file back, or forget {old.subject}"
    return Item(old.source_url, "failed", old.subject, old.role, old.reader, error=text)


def _to_fetch(old: IngestState, size: int) -> Item:
    """A source that must be read again, and fetched for that, as its download was discarded."""
    note = f"its download was discarded: {size:,} bytes are to be fetched again"
    return Item(old.source_url, "inspected", old.subject, old.role, old.reader, parts=old.parts, warnings=(note,))


class _Upkeep:
    """What a run does beside its commits. Where it fails, as on a full disk, what became of the sources is told still."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self.notes: dict[str, None] = {}  # in order, each once

    @contextlib.contextmanager
    def _noting(self, what: str) -> Iterator[None]:
        try:
            yield
        except CatalogError as error:
            self.notes[f"{what}: {error}"] = None

    def fold(self) -> None:
        with self._noting("small tables are not folded"):
            fold_small_tables(self._catalog)

    def remember_failed(self, items: Iterable[Item]) -> None:
        failed = [(i.source, i.subject, i.reader, i.error) for i in items if i.status == "failed"]
        with self._noting("failures are not remembered"):
            self._catalog.record_failures(failed)

    def discard(self, source: Source) -> None:
        """Remove a download, having noted it; a file from elsewhere is left alone."""
        path, root = source.path, self._catalog.root
        if not path.is_relative_to(root / "raw") or not path.is_file():
            return
        with self._noting("downloads are not removed"):
            self._catalog.record_discarded(path.relative_to(root).as_posix(), source.url, path.stat().st_size)
            for one in (path, path.with_name(path.name + ".version")):
                one.unlink(missing_ok=True)
            if path.parent != root / "raw" and not any(path.parent.iterdir()):
                path.parent.rmdir()


def _redone(catalog: Catalog, old: IngestState, source: Source, dry_run: bool) -> Job:
    """The job that takes a source again as it was taken."""
    settings = {name: value for name, value in old.options.items() if name not in OWN_OPTIONS}
    source, salvage = replace(source, settings=tuple(sorted(settings.items()))), bool(old.options.get("salvage"))
    told = Told(**old.options.get("told", {}))
    return Job(catalog.root, source, tuple(old.parts), (), old.reader, dry_run, salvage, told)


def stale_ingests(catalog: Catalog) -> list[IngestState]:
    """Live ingests that today's readers or declarations would write differently."""
    return [old for old in catalog.live_ingests() if _is_stale(old)]


def _is_stale(old: IngestState) -> bool:
    if old.reader not in registry.names():
        return False  # a user's own table
    return old.reader_version != registry.get(old.reader).version or not _declared_alike(old)


def _declared_alike(old: IngestState) -> bool:
    return all(name in TABLES and TABLES[name].version == version for name, version in old.spec_versions.items())


def _names(parts: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if parts is None else tuple(parts)


def _run(work: Sequence[Job], jobs: int, progress: Progress, upkeep: _Upkeep, discard_raw: bool) -> list[Item]:
    items: dict[int, Item] = {}
    readers = [f"{registry.__package__}.{module}" for module in registry.READERS.values()]
    workers = Workers(f"{__name__}:ingest_file", jobs, modules=readers)
    names = [str(job.source) for job in work]
    for index, answer in workers.run(work, lambda i, *step: progress(names[i], *step)):
        if isinstance(answer, Died):
            answer = Item(names[index], "failed", error=f"{names[index]}: {answer.reason}")
        items[index] = answer
        if discard_raw and answer.status in DONE:
            upkeep.discard(work[index].source)
        progress(names[index], "done", 1, 1)
        if len(items) % FOLD_EVERY == 0:
            upkeep.fold()
    return [items[i] for i in range(len(work))]


def ingest_file(job: Job, progress: Callable[[str, int, int], None] = lambda *_: None) -> Item:
    """Ingest one file in this process. Every failure becomes the item's error; the lake is then unchanged."""
    began = time.perf_counter()
    facts: dict[str, Any] = {}
    try:
        item = _ingest_file(job, progress, facts)
    except ForeignError as error:
        status: Status = "failed" if job.source.named else "left out"
        item = Item(str(job.source), status, error=str(error))
    except BrainlakeError as error:
        text = str(error) if str(job.source) in str(error) else f"{job.source}: {error}"
        item = Item(str(job.source), "failed", **facts, error=text, is_defect=error.exit_code == 2)
    except MemoryError:
        item = Item(
            str(job.source), "failed", **facts, error=f"{job.source}: reading it needs more memory than there is"
        )
    except Exception as error:  # a defect of ours: say so, keep the others going
        traceback.print_exc()
        text = f"{job.source}: {type(error).__name__}: {error} (a defect of brainlake: please report it)"
        item = Item(str(job.source), "failed", **facts, error=text, is_defect=True)
    return Item(**{**item.__dict__, "seconds": time.perf_counter() - began})


def _ingest_file(job: Job, progress: Callable[[str, int, int], None], facts: dict[str, Any]) -> Item:
    source = job.source
    before = [_stat(source.path)]
    reader = registry.choose(source, job.as_reader)
    facts["reader"] = reader.name
    source = replace(source, settings=choose_settings(reader, source.settings))
    files = [source.path, *getattr(reader, "companions", lambda _: ())(source)]
    before += [_stat(path) for path in files[1:]]
    identity = reader.identify(source)
    facts |= {"subject": identity.subject, "role": identity.role}
    catalog = Catalog.open(job.root)
    live = catalog.live_ingest(identity.subject, identity.role)
    asked = choose_parts(reader, job.parts, job.with_parts)
    chosen = asked if job.parts is not None or live is None else _with_those_here(asked, reader, live)
    report = Report(salvage=job.salvage, progress=progress)
    if job.dry_run:
        reader.inspect(source, report)
        taken = tuple(p for p in report.available if p in chosen)
        gone = _gone_parts(live, taken)
        return Item(str(source), "inspected", **facts, available=report.available, parts=taken, gone=gone)

    options: dict[str, Any] = {"salvage": job.salvage, **dict(source.settings)}
    if job.told.facts:
        options["told"] = job.told.facts
    digest = _Digest(files)
    if live and _same(live, reader, options, chosen) and live.source_sha256 == digest.result():
        return Item(str(source), "unchanged", **facts, ingest_id=live.ingest_id)
    with IngestWriter(
        catalog,
        subject=identity.subject,
        role=identity.role,
        source_url=source.url,
        source_size=sum(size for size, _ in before),
        source_sha256=digest.result,  # asked for at commit: the file is hashed while it is read
        reader=reader.name,
        reader_version=reader.version,
        options=options,
        parts=sorted(chosen),
        **recorded(identity, source.published, job.told),
    ) as writer:
        for piece in reader.read(source, chosen, report):
            if isinstance(piece, Attachment):
                writer.attach(piece)
            else:
                writer.write(piece.table, piece.columns)
        if [_stat(path) for path in files] != before:
            raise SourceError(source, None, "changed while it was read", "ingest it again")
        done = writer.commit(warnings=report.warnings, skipped=report.skipped, available=report.available)
    return Item(
        str(source),
        "replaced" if done.replaced else "ingested",
        **facts,
        ingest_id=done.ingest_id,
        snapshot_id=done.snapshot_id,
        n_rows=done.n_rows,
        size_bytes=done.size_bytes,
        available=report.available,
        parts=tuple(sorted(chosen)),
        kept=tuple(sorted((chosen - asked) & set(done.parts))),
        gone=_gone_parts(live, done.parts),
        skipped=tuple(report.skipped),
        warnings=tuple(report.warnings),
    )


def choose_parts(reader: Reader, only: Sequence[str] | None, beside: Sequence[str] = ()) -> frozenset[str]:
    """The parts to take: ``only`` these, or the reader's default ones, and those ``beside``.

    One run may go over sources of several kinds, so a reader leaves aside what is a part of another's alone.
    """
    known = {part.name for part in reader.parts}
    for name in {*(only or ()), *beside} - known:
        if not any(name == part.name for other in registry.names() for part in registry.get(other).parts):
            raise BrainlakeError(f"no reader knows a part {name!r}: {reader.name} has {', '.join(sorted(known))}")
    if only is not None and not known.intersection(only):
        raise BrainlakeError(f"reader {reader.name} has none of the parts asked for, only {', '.join(sorted(known))}")
    base = {part.name for part in reader.parts if part.default} if only is None else set(only)
    return frozenset((base | set(beside)) & known)


def _with_those_here(asked: frozenset[str], reader: Reader, live: IngestState) -> frozenset[str]:
    """The parts asked for, and those taken before: nothing goes because nobody named it again."""
    return asked | ({part.name for part in reader.parts} & set(live.parts))


def _gone_parts(live: IngestState | None, parts: Iterable[str]) -> tuple[str, ...]:
    """Parts that a live ingest holds, and that are not among those which take its place."""
    return tuple(sorted(live.present.difference(parts))) if live else ()


def choose_settings(reader: Reader, told: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Those of the settings that a reader takes; as parts, they may be meant for other sources of the same run."""
    known = _settings(reader)
    for name, _ in told:
        if name not in known and not any(name in _settings(registry.get(other)) for other in registry.names()):
            takes = f"{reader.name} takes {', '.join(known)}" if known else f"{reader.name} takes none"
            raise BrainlakeError(f"no reader takes a setting {name!r}: {takes}")
    return tuple((name, value) for name, value in told if name in known)


def _settings(reader: Reader) -> list[str]:
    return [setting.name for setting in getattr(reader, "settings", ())]


def _same(live: IngestState, reader: Reader, options: dict[str, Any], chosen: frozenset[str]) -> bool:
    return (
        live.reader == reader.name
        and live.reader_version == reader.version
        and live.options == options
        and not (chosen ^ set(live.parts)) & live.states.keys()  # of what the source holds
        and _declared_alike(live)
    )


def _stat(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except OSError as error:
        raise SourceError(path, None, f"cannot be opened: {error.strerror}") from None
    return status.st_size, status.st_mtime_ns


class _Digest:
    """SHA-256 of a source's files one after the other, computed beside the reading of them (hashlib gives up the
    interpreter lock).
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths, self._value = paths, ""
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._hash, daemon=True)
        self._thread.start()

    def _hash(self) -> None:
        digest = hashlib.sha256()
        block = memoryview(bytearray(HASH_BLOCK))
        try:
            for path in self._paths:
                with path.open("rb", buffering=0) as file:
                    while n := file.readinto(block):
                        digest.update(block[:n])
        except OSError as error:
            self._error = error
        self._value = digest.hexdigest()

    def result(self) -> str:
        self._thread.join()
        if self._error:
            raise SourceError(self._paths[0], None, f"cannot be read: {self._error.strerror}")
        return self._value
