"""A lake as Python sees it: :class:`Lake`, one thin method a verb."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import duckdb
import pyarrow as pa

from . import checking, dictionary, expiring, folding, forgetting, memo, usage, writer
from .catalog import Catalog
from .errors import BrainlakeError, CatalogError, QueryError
from .frames import as_arrow, read_table
from .session import Session

if TYPE_CHECKING:
    import polars as pl

    from .bundles import Bundle
    from .cell_types_cache import WrittenCache
    from .copying import Copied
    from .export_data import Written
    from .export_views import Exported
    from .fetching import FetchReport, How
    from .ingest_report import IngestReport, Progress
    from .locking import Restored
    from .relation import Relation
    from .rma.answers import Api, Limits

At = int | str | datetime | None


class Lake:
    """A lake on one of its snapshots. Use it as a context manager, or ``close()`` it.

    Everything asked of it sees the same snapshot, whoever writes meanwhile; its own writing moves it forward.
    """

    def __init__(self, catalog: Catalog, snapshot: At = None, temporary: Path | None = None) -> None:
        self.catalog = catalog
        self._temporary = temporary
        state = catalog.state(catalog.resolve(snapshot))
        try:
            self._session = Session(state)
        except (duckdb.IOException, duckdb.InvalidInputException) as error:
            raise state.lost(error) from None

    @property
    def path(self) -> Path:
        return self.catalog.root

    @property
    def snapshot(self) -> int:
        """The snapshot that every question sees."""
        return self._session.snapshot_id

    # -- asking ---------------------------------------------------------------------------------------------------

    def sql(
        self,
        query: str,
        params: Sequence[Any] | Mapping[str, Any] | None = None,
        tables: Mapping[str, Any] | None = None,
    ) -> Relation:
        """A question in DuckDB's SQL, answered when its result is asked for.

        params : values of ``?`` or ``$name`` in the query
        tables : the user's own frames (polars, pandas, Arrow, dict of columns) by the names the query uses

        Raises QueryError where the query has a mistake, NotAdmittedError where it would do more than read.
        """
        relation = self._session.sql(query, params, tables)
        relation.owner = self  # `open(path).sql(query)`, and nobody else has the lake
        return relation

    def scan(self, name: str) -> pl.LazyFrame:
        """A table or view as a polars LazyFrame: filters and column choices are pushed down."""
        return self._session.scan(dictionary.known(self._session, name))

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A further cursor on the same snapshot, for another thread; read-only by admission of the caller."""
        return self._session.cursor()

    def connect(self) -> duckdb.DuckDBPyConnection:
        """The raw DuckDB connection, for experts: nothing is refused beyond DuckDB's own settings."""
        return self._session.connection

    def rma(self, query: str) -> Relation:
        """A question in the Atlas API's language: ``lake.rma("model::Structure,rma::criteria,[graph_id$eq1]")``.

        Nested objects are STRUCT, nested lists LIST of STRUCT; as at the API, 50 rows unless ``rma::options`` say.

        Raises QueryError where the query has a mistake.
        """
        return self.api().relation(query)

    def api(self, limits: Limits | None = None) -> Api:
        """The Atlas API as this snapshot answers it; ``brainlake serve rma`` serves it."""
        from .rma.answers import Api

        return Api(self._session, limits)

    # -- knowing --------------------------------------------------------------------------------------------------

    def tables(self, schema: str | None = None) -> Relation:
        """Every relation a question can name, or those of a schema: tables, views, macros, functions."""
        return dictionary.tables(self._session, schema)

    def describe(self, name: str) -> Relation:
        """The columns of a table or view, or parameters and results of a macro or function: types, units, descriptions.

        name : whole, or without its schema where only one relation has it
        """
        return dictionary.describe(self._session, name)

    def full_name(self, name: str) -> str:
        """A relation's or function's whole name, of its own or of what follows the schema. Raises UnknownError."""
        return dictionary.full_name(self._session, name)

    def find(self, word: str) -> Relation:
        """Relations whose name, description, columns or reference name (SDK) hold the word."""
        return dictionary.find(self._session, word)

    @property
    def holdings(self) -> Relation:
        """What is here, what is known but not here, what failed: a row a subject and part."""
        return self.sql("from lake.holdings")

    # -- time -----------------------------------------------------------------------------------------------------

    def snapshots(self) -> Relation:
        """The lake's history: one row a commit."""
        return self.sql("from lake.snapshots order by snapshot_id")

    def at(self, snapshot: At) -> Lake:
        """The same lake at another snapshot, tag or time. Facts travel in time; views are today's."""
        return Lake(Catalog.open(self.path), snapshot)

    def refresh(self) -> int:
        """Move to the latest snapshot; returns its number."""
        self._session.refresh(self.catalog.state())
        return self.snapshot

    def tag(self, name: str) -> int | None:
        """Give the current snapshot a name that ``open(..., snapshot=name)`` and ``at(name)`` understand.

        A name in use moves; the snapshot that had it is returned, and is no longer kept from :meth:`expire`.
        """
        return self.catalog.tag(name, self.snapshot)

    def untag(self, name: str) -> int:
        """Take a name away; returns the snapshot that had it, which :meth:`expire` may now give up.

        Raises UnknownError for a tag that is not there.
        """
        return self.catalog.untag(name)

    def diff(self, relation: str, a: At, b: At, key: str | Sequence[str] | None = None) -> pl.DataFrame:
        """What differs between snapshots a and b: rows ``removed``, ``added`` and, where a key pairs them, ``changed``.

        relation : a name, or a query
        key : columns that tell its rows apart; by default a stored table's own key. See :func:`.diffing.difference`.
        """
        import polars as pl

        from .diffing import difference

        query = relation if " " in relation.strip() else f"from {dictionary.known(self._session, relation)}"
        own = self._session.state.tables.get(relation)
        keys = [key] if isinstance(key, str) else list(key if key is not None else own.spec.key if own else ())
        with self.at(a) as before, self.at(b) as after:
            old, new = before.sql(query).arrow(), after.sql(query).arrow()
        try:
            return pl.DataFrame(difference(old, new, keys))
        except QueryError:
            if key is not None:  # else another key was declared then
                raise
            return pl.DataFrame(difference(old, new))

    def restore(self, file: str | os.PathLike[str], relative: float | None = None) -> Restored:
        """Compare what a lock file (:meth:`.relation.Relation.lock`) tells with what this lake answers now.

        relative : floats whose difference is at most this, relative to the larger, are the same; by default 1e-9
        """
        from .answers import RELATIVE
        from .locking import restore

        return restore(self._session, Path(file), RELATIVE if relative is None else relative)

    # -- writing --------------------------------------------------------------------------------------------------

    def ingest(
        self,
        source: str | os.PathLike[str] | Iterable[str | os.PathLike[str]] = (),
        *,
        parts: Sequence[str] | None = None,
        with_parts: Sequence[str] = (),
        as_reader: str | None = None,
        dry_run: bool = False,
        stale: bool = False,
        jobs: int | None = None,
        salvage: bool = False,
        settings: Mapping[str, str] | None = None,
        collection: Mapping[str, str] | None = None,
        discard_raw: bool = False,
        progress: Progress | None = None,
    ) -> IngestReport:
        """Read files, folders, globs and URLs into the lake; one commit a file. See :func:`.ingestion.ingest`.

        collection : what the sources are of, where they do not tell it rightly: ``dataset``, ``version``, ``doi``,
            ``licence``, ``citation`` (BibTeX)

        A file that fails is an item of the report and stops no other: look at ``report.failed``, or call
        ``report.raise_failed()``.
        """
        from .citing import Told
        from .ingestion import ingest

        arguments = [source] if isinstance(source, (str, os.PathLike)) else list(source)
        report = ingest(
            self.catalog,
            [a if isinstance(a, str) else Path(a) for a in arguments],
            parts=parts,
            with_parts=with_parts,
            as_reader=as_reader,
            dry_run=dry_run,
            stale=stale,
            jobs=jobs,
            salvage=salvage,
            settings=settings,
            told=Told.of(collection or {}),
            discard_raw=discard_raw,
            progress=progress,
        )
        self.refresh()
        return report

    def fetch(
        self, what: str, *ids: int | str, how: How | None = None, progress: Progress | None = None
    ) -> FetchReport:
        """Bring data from the Atlas API: ``lake.fetch("cells")``, ``lake.fetch("rma", "model::Product")``.

        what : a data set or files (``brainlake fetch --list``), or ``rma`` with queries of one's own as ``ids``
        how : addresses, offline, refresh; see :class:`.fetching.How`
        """
        from .fetching import fetch

        report = fetch(self.catalog, what, ids, how, progress)
        self.refresh()
        return report

    def compared(self) -> list[tuple[str, str]]:
        """Files that were fetched, and how each is now: ``as it came``, ``changed`` or ``missing``. Reads all of them."""
        from .fetching import compared

        return compared(self.catalog, self._session)

    def write(
        self,
        name: str,
        frame: Any,
        key: str | Sequence[str] | None = None,
        *,
        append: bool = False,
        types: Mapping[str, str] | None = None,
        describe: Mapping[str, str] | None = None,
        about: str | None = None,
        partition: str | None = None,
    ) -> writer.Committed:
        """Keep a table of one's own: ``lake.write("lab.labels", frame, key="unit_id")``. Replaces what it held.

        frame : polars, pandas, Arrow, a dict of columns, an answer, or the path of a CSV, JSON, Parquet or Arrow file
        key : columns that no two rows share; with session_id among them, questions about one session stay fast
        append : add the rows to those that it holds
        types : DuckDB's types of a file's columns, where the ones found in it are not right
        describe : column -> what it is, with its unit in brackets: ``{"latency": "first spike after onset [s]"}``
        about : what one row is
        partition : an integer column of the key, of which each value has a file of its own: for tables of many rows

        Raises CatalogError for names of brainlake's own schemas, types that other engines do not read alike, and keys
        that are NULL or doubled.
        """
        keys = [key] if isinstance(key, str) else list(key or ())
        schema = name.partition(".")[0]
        if schema in {n.partition(".")[0] for n in self._session.own_names()}:
            raise CatalogError(f"{name}: schema {schema} is brainlake's own; choose another, as lab.{name}")
        file = Path(frame) if isinstance(frame, (str, os.PathLike)) else None
        table = read_table(file, types) if file else as_arrow(frame)
        done = writer.write_user_table(
            self.catalog, name, table, keys,
            append=append, file=file, partition=partition, about=about, descriptions=describe,
        )  # fmt: skip
        if append:
            with contextlib.suppress(CatalogError):  # the rows are in the lake, also where the disk is full now
                folding.fold_small_tables(self.catalog, name)
        self.refresh()
        return done

    def forget(
        self,
        subjects: str | Iterable[str],
        role: str | None = None,
        *,
        only: Sequence[str] | None = None,
        dry_run: bool = False,
    ) -> forgetting.Forgotten:
        """Take out what came from subjects, or parts of it, in one commit. Earlier snapshots keep it.

        subjects : ``ecephys.session/715093703``, patterns, or ``session=715093703``; see :func:`.forgetting.forget`
        role : only what came in this role; only : only these parts, as ``["lfp"]``; dry_run : tell what would go

        Raises UnknownError for a subject that nothing is about, and for parts that nothing chosen holds.
        """
        done = forgetting.forget(self.catalog, subjects, role, only, dry_run=dry_run)
        self.refresh()
        return done

    # -- keeping --------------------------------------------------------------------------------------------------

    def materialize(
        self, view: str, where: str | None = None, *, jobs: int | None = None, progress: Progress | None = None
    ) -> memo.Materialized:
        """Compute a view now and keep its answer, a partition at a time and in parallel; questions then read it.

        where : only partitions for which this holds, as ``specimen_id in (1, 2)``

        What is kept is used while nothing that it depends on has changed, and is never wrong: ``cache/`` may be
        deleted at any time.
        """
        self.catalog.require_writable()
        done = memo.materialize(self._session, view, where, jobs, progress or (lambda *_: None))
        self._session.forget_memos([view])
        return done

    def materializable(self) -> list[str]:
        """Views whose answers can be kept."""
        return memo.can_be_kept(self._session.questions)

    def prune_memos(self) -> tuple[int, int]:
        """Remove kept answers that have changed since; tells how many files, and their bytes. They are only a cache."""
        self.refresh()
        return memo.prune(self._session, 0.0)

    def explain(self, query: str) -> pa.Table:
        """How a question will be answered: each relation below it, and whether it is stored, kept or computed."""
        return memo.explain(self._session, query)

    def check(
        self, *, repair: bool = False, deep: bool = False, progress: Progress | None = None
    ) -> list[checking.Finding]:
        """What is wrong with the lake, each with its remedy.

        repair : first remove what no snapshot knows
        deep : also compare the digest of every file, and derive statistics and keys anew from its rows
        """
        from .opening import findings

        return findings(self.catalog, repair=repair, deep=deep, progress=progress)

    def compact(self, table: str | None = None) -> list[folding.Folded]:
        """Fold the files of small tables into few, of one or of all; answers do not change. Tells the gain."""
        done = folding.compact(self.catalog, table)
        self.refresh()
        return done

    def expire(
        self,
        keep: str | None = None,
        keep_tags: Iterable[str] | None = None,
        *,
        grace: timedelta = expiring.GRACE,
        dry_run: bool = False,
    ) -> expiring.Expired:
        """Give up old snapshots, and the room that they alone take: ``lake.expire("30d", ["submitted"])``.

        keep : ``30d`` (also m, h, w), ``10 snapshots`` or a date; None: only remove what earlier runs left to its grace
        keep_tags : tags whose snapshots stay; None: all. The newest snapshot always stays.
        grace : for how long who has an expired snapshot open reads on; then they get SnapshotExpired

        Raises CatalogError for a ``keep`` that means nothing, UnknownError for a tag that is not there.
        """
        done = expiring.expire(self.catalog, keep, keep_tags, grace=grace, dry_run=dry_run)
        if dry_run:
            return done
        self.refresh()
        files, size = memo.prune(self._session, grace.total_seconds())
        return dataclasses.replace(done, memo_files=files, memo_bytes=size)

    def usage(self, by: usage.By | None = None) -> pa.Table:
        """What takes the room, in bytes: live, retired, expired, orphans, cache, raw; see :func:`.usage.usage`."""
        return usage.usage(self.catalog, by)

    # -- for others -----------------------------------------------------------------------------------------------

    def copy(
        self,
        to: str | os.PathLike[str],
        *,
        where: str | Sequence[str] = (),
        snapshot: At = None,
        also: Sequence[str] = (),
        link: bool = False,
        progress: Progress | None = None,
    ) -> Copied:
        """Make a lake of this one at a place where nothing is yet: all of it, or what conditions choose.

        where : conditions on partition columns, as ``session_id in (715093703)``; several choose together
        snapshot : take what it sees, without history. By default all of the history, or with ``where`` the newest.
        also : schemas or tables that are taken whole beside what ``where`` chooses
        link : share files with this lake on disk, where the file system allows

        Raises CatalogError where something is there already, QueryError for a condition that is none.
        """
        from .copying import copy

        at = None if snapshot is None else self.catalog.resolve(snapshot)
        conditions = [where] if isinstance(where, str) else list(where)
        show = progress or (lambda *_: None)
        return copy(self.catalog, to, where=conditions, snapshot=at, also=also, link=link, progress=show)

    def publish(
        self,
        to: str | os.PathLike[str],
        *,
        where: str | Sequence[str] = (),
        snapshot: At = None,
        also: Sequence[str] = (),
        title: str | None = None,
        link: bool = False,
        progress: Progress | None = None,
    ) -> Copied:
        """Make a lake of one snapshot that no longer changes, with digests of all files and citations.

        snapshot : by default the one that this lake is on; the rest as in :meth:`copy`
        """
        from .publishing import publish

        at = self.snapshot if snapshot is None else self.catalog.resolve(snapshot)
        conditions = [where] if isinstance(where, str) else list(where)
        show = progress or (lambda *_: None)
        return publish(
            self.catalog, to, where=conditions, snapshot=at, also=also, title=title, link=link, progress=show
        )

    def export(
        self,
        what: str | Sequence[str],
        to: str | os.PathLike[str],
        *,
        format: Literal["parquet", "csv"] = "parquet",
        compression: str | None = None,
        partition_by: str | Sequence[str] = (),
        force: bool = False,
        progress: Progress | None = None,
    ) -> list[Written]:
        """Write relations and answers as files of their own; what is written streams, whatever its size.

        what : names of relations, patterns (``ecephys.*``), queries, or ``.sql`` files that hold one
        to : a file for one of them, a directory for several and for a partitioned one
        partition_by : columns that become folders, ``session_id=7/``

        Raises BrainlakeError where something is there already (``force`` replaces it), or would lie inside of the lake.
        """
        from .export_data import How, export

        asked = [what] if isinstance(what, str) else list(what)
        columns = (partition_by,) if isinstance(partition_by, str) else tuple(partition_by)
        how = How(format, compression, columns, force)
        return list(export(self._session, asked, Path(to), how, progress))

    def export_views(self, to: str | os.PathLike[str], *, relative: bool = False, force: bool = False) -> Exported:
        """Write a DuckDB file of views on this snapshot, for any DuckDB client; see :func:`.export_views.export_views`."""
        from .export_views import export_views

        return export_views(self._session, Path(to), relative=relative, force=force)

    def export_bundle(
        self, model: int, to: str | os.PathLike[str], *, partial: bool = False, force: bool = False
    ) -> Bundle:
        """Write the folder that a compartmental model is run from; see :func:`.bundles.export_bundle`."""
        from .bundles import export_bundle

        return export_bundle(self._session, model, Path(to), partial=partial, force=force)

    def export_cell_types_cache(
        self, to: str | os.PathLike[str], cells: Iterable[int] = (), *, force: bool = False
    ) -> WrittenCache:
        """Write a folder for the Allen SDK's CellTypesCache; see :func:`.cell_types_cache.export_cell_types_cache`."""
        from .cell_types_cache import export_cell_types_cache

        return export_cell_types_cache(self._session, Path(to), cells, force=force)

    def close(self) -> None:
        self._session.close()
        self.catalog.close()
        if self._temporary:
            shutil.rmtree(self._temporary, ignore_errors=True)

    def __enter__(self) -> Lake:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        # A lake that was never closed must not leave DuckDB's complaints on stderr at exit.
        with contextlib.suppress(BrainlakeError, OSError, AttributeError, TypeError):
            self.close()

    def __repr__(self) -> str:
        return f"Lake({str(self.path)!r}, snapshot={self.snapshot})"
