"""From the Atlas API into the lake: fetch, keep below ``raw/``, ingest (``brainlake fetch``).

What was fetched lies in ``raw/rma/`` whole before anything is read from it, with the journal of its requests; from there
it is ingested as any file is. Stopped anywhere, a fetch done again goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copyfile

from ..ingest import packages, registry
from ..ingest.contract import Source
from ..ingest.rma_client import Client, api_url
from ..ingest.rma_datasets import DATA_SETS, FILES, Files, Where, files_told
from ..ingest.rma_endpoints import ARCHIVE_URL, CCF_VERSION
from ..ingest.rma_files import FetchedFile, fetch_files, sha256_of
from ..ingest.rma_pages import PAGE, Fetched, fetch_answer
from .catalog import Catalog
from .errors import BrainlakeError, ForeignError, QueryError, SourceError
from .ingestion import IngestReport, Item, Progress, ingest
from .session import Session

ANY_READER = "rma_records"  # takes an answer that no domain's reader knows
TABLES_ALONE = frozenset({"ecephys_records"})  # readers that keep a table of an answer, and not what it nests


@dataclass(frozen=True)
class How:
    """How things are fetched.

    api : base address of the API; None is ``$BRAINLAKE_API``, or the public one
    archive : base address of volumes and meshes
    offline : only what is here already
    refresh : ask again for what is here
    page : rows a request
    pause_s : between the beginnings of two requests at least
    um, version : of volumes
    image : of images: ``downsample``, ``left``, ``top``, ``width``, ``height`` ... (spec: api 4.11)
    to : folder that files are also laid into, under the names that the reference's caches have for them
    """

    api: str | None = None
    archive: str = ARCHIVE_URL
    offline: bool = False
    refresh: bool = False
    page: int = PAGE
    um: int = 25
    version: str = CCF_VERSION
    attempts: int = 5
    pause_s: float = 0.1
    image: Mapping[str, str] = field(default_factory=dict)
    to: Path | None = None


@dataclass(frozen=True)
class FetchReport:
    """What was fetched, and what became of it in the lake.

    paths : files at hand below ``raw/``, journals aside; n_here : of them, those that were not asked for again
    notes : what came empty, or is kept as it is; errors : what could not be had
    """

    paths: tuple[Path, ...]
    n_here: int
    notes: tuple[str, ...]
    errors: tuple[BrainlakeError, ...]
    ingested: IngestReport

    def raise_failed(self) -> None:
        """Raise the first thing that could not be had or read."""
        for error in self.errors:
            raise error
        self.ingested.raise_failed()


def addresses(what: str, ids: Sequence[int | str], how: How) -> list[str]:
    """What a fetch would ask: queries, and addresses of files that are known without asking."""
    if what in FILES and (wanted := FILES[what].wanted):
        return [file.url for file in wanted(_where(how), _ids(what, ids))]
    return _queries(what, ids)


def fetch(
    catalog: Catalog,
    what: str,
    ids: Sequence[int | str] = (),
    how: How | None = None,
    progress: Progress | None = None,
    jobs: int | None = None,
) -> FetchReport:
    """Fetch a data set, files, or the answer to a query (``what`` is ``rma``, ``ids`` the queries), and ingest it.

    Raises QueryError for what cannot be asked, ApiError where an answer cannot be had. A file that cannot be had, or
    not be read, is in the report and stops no other.
    """
    how = how or How()
    show = progress or (lambda source, what, done, total: None)
    client = Client(api_url(how.api), how.offline, how.attempts, spacing_s=how.pause_s)
    folder = catalog.root / "raw" / "rma"
    queries = [] if what in FILES and FILES[what].wanted else _queries(what, ids)
    answers = [_answer(client, query, folder, how, show) for query in queries]
    files, errors = _files(client, what, ids, answers, folder, how, show)
    empty = [(answer, query) for answer, query in zip(answers, queries, strict=True) if not answer.num_rows]
    notes = [f"{answer.model or what}: the API has no such rows" for answer, _ in empty if what not in FILES]
    errors += [QueryError(f"{what}: the API has no such file: {query}") for _, query in empty if what in FILES]
    told = [answer.path for answer in answers if answer.num_rows]
    settings: dict[str, str] = {}
    read: list[Path] = []
    if what in FILES:
        settings = FILES[what].settings(_where(how))
        read = [file.path for file in files if _is_read(file.path)]
        # voxels are their header's
        notes += [f"kept as {file.path}" for file in files if file.path not in read and file.path.suffix != ".raw"]
    brought: list[Fetched | FetchedFile] = [*answers, *files]
    journals = [found.journal for found in brought]
    report = _ingest(catalog, told, read, what in FILES, journals, settings, progress, jobs)
    if how.to is not None:
        notes += _laid_out(catalog, what, ids, files, how.to)
    here = sum(found.was_here for found in brought)
    return FetchReport(tuple(found.path for found in brought), here, tuple(notes), tuple(errors), report)


def compared(catalog: Catalog, session: Session) -> list[tuple[str, str]]:
    """Every file that was fetched from an address of its own, and how it is now: as it came, changed or missing.

    Returns pairs of a path below the lake and one of these words, in the order of paths.
    """
    kept = session.sql("""
        select r.fetch_key, r.file_name, arg_max(r.sha256, r.requested_at) as sha256
        from rma.requests as r
        where r.rma_text is null
        group by r.fetch_key, r.file_name
        order by r.fetch_key, r.file_name
    """).pl()  # fmt: skip
    found = []
    for key, name, sha256 in kept.rows():
        path = Path("raw") / "rma" / key / name
        whole = catalog.root / path
        state = "missing" if not whole.is_file() else "as it came" if sha256_of(whole) == sha256 else "changed"
        found.append((str(path), state))
    return found


def _answer(client: Client, query: str, folder: Path, how: How, show: Progress) -> Fetched:
    name = query if len(query) <= 60 else query[:57] + "..."
    try:
        return fetch_answer(
            client, query, folder, page=how.page, refresh=how.refresh,
            progress=lambda what, done, total: show(name, what, done, total),
        )  # fmt: skip
    finally:
        show(name, "done", 0, 0)


def _files(
    client: Client,
    what: str,
    ids: Sequence[int | str],
    answers: Sequence[Fetched],
    folder: Path,
    how: How,
    show: Progress,
) -> tuple[list[FetchedFile], list[BrainlakeError]]:
    if what not in FILES:
        return [], []
    files, where = FILES[what], _where(how)
    errors: list[BrainlakeError] = []
    if files.wanted:
        wanted = list(files.wanted(where, _ids(what, ids)))
    else:
        wanted = []
        for answer in answers:
            try:
                wanted += files_told(files, where, answer.path)
            except QueryError as error:
                errors.append(error)
    found = fetch_files(client, wanted, folder, refresh=how.refresh, progress=show)
    for file in wanted:
        show(file.name, "done", 0, 0)
    errors += [one for one in found if isinstance(one, BrainlakeError)]
    return [one for one in found if isinstance(one, FetchedFile)], errors


def _laid_out(
    catalog: Catalog, what: str, ids: Sequence[int | str], files: Sequence[FetchedFile], to: Path
) -> list[str]:
    """Copy files into a folder, each under its own name; models get the manifest that the reference runs them by."""
    for file in files:
        place = to / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        copyfile(file.path, place)
    if what == "biophysical_files":
        with closing(Session(catalog.state())) as session:
            for number in _ids(what, ids):
                made = session.sql("from models.bundle_manifest($model)", {"model": number}).one()
                (to / f"neuronal_model_{number}" / "manifest.json").write_text(made.manifest_json)
    return [f"{len(files)} {'file' if len(files) == 1 else 'files'} in {to}"]


def _ingest(
    catalog: Catalog,
    answers: Sequence[Path],
    files: Sequence[Path],
    tell_of_files: bool,
    journals: Sequence[Path],
    settings: Mapping[str, str],
    progress: Progress | None,
    jobs: int | None,
) -> IngestReport:
    """Ingest answers, files and journals: an answer that a domain's reader knows by it, another as records of the API.

    tell_of_files : the answers are such records whatever they hold, and say whose the files are
    """
    readers = {path: None if tell_of_files else _reader_of(path) for path in answers}
    known = [path for path, reader in readers.items() if reader]
    others = [path for path, reader in readers.items() if reader is None or reader in TABLES_ALONE]
    items: list[Item] = []
    for paths, reader, said in ((others, ANY_READER, {}), ([*known, *files, *journals], None, settings)):
        if paths:
            report = ingest(catalog, list(paths), as_reader=reader, settings=said, jobs=jobs, progress=progress)
            items += report.items
    return IngestReport(tuple(items))


def _is_read(path: Path) -> bool:
    """Whether a reader knows a file, or the files in it. What is damaged is for its reader to say."""
    if path.suffix == ".raw":
        return False
    try:
        return bool(packages.members(path)) or _reader_of(path) is not None
    except SourceError:
        return True


def _reader_of(path: Path) -> str | None:
    """The reader that knows a file by its content; None where none does."""
    try:
        return registry.choose(Source(path, str(path))).name
    except ForeignError:
        return None


def _queries(what: str, ids: Sequence[int | str]) -> list[str]:
    if what == "rma":
        if not ids:
            raise QueryError('write the query: brainlake fetch rma "model::Product"')
        return [str(query) for query in ids]
    numbers = _ids(what, ids)
    if what in FILES:
        asked: Callable[[Sequence[int]], Sequence[str]] | None = FILES[what].asked
        return list(asked(numbers)) if asked else []
    return list(DATA_SETS[what].queries(numbers))


def _ids(what: str, ids: Sequence[int | str]) -> list[int]:
    """The ids, as what is fetched takes them. Raises QueryError where it takes none, needs some, or they are none."""
    known = DATA_SETS.get(what) or FILES.get(what)
    if known is None:
        raise QueryError(f"nothing is fetched as {what!r}: there are {', '.join((*DATA_SETS, *FILES))}, rma")
    if ids and known.ids is None:
        raise QueryError(f"{what} come all at once: leave the ids out")
    if not ids and known.ids is not None and (isinstance(known, Files) or known.needs_ids):
        raise QueryError(f"{what}: name the ids of {known.ids}")
    try:
        return [int(one) for one in ids]
    except ValueError:
        raise QueryError(f"{what}: ids are numbers, not {', '.join(map(str, ids))[:60]}") from None


def _where(how: How) -> Where:
    return Where(api_url(how.api), how.archive.rstrip("/"), how.um, how.version, how.image)
