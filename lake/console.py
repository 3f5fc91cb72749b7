"""The lake as harlequin sees it: an adapter for its terminal client, and for its command ``hsql``.

It reads one snapshot; refreshing the catalogue in the client moves to the latest, unless the lake was opened in the
past. Whatever is asked goes the way of :meth:`.facade.Lake.sql`, so a statement that does more than read is refused.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa
from harlequin.adapter import HarlequinAdapter, HarlequinConnection, HarlequinCursor
from harlequin.autocomplete.completion import HarlequinCompletion
from harlequin.catalog import (
    Catalog,
    CatalogItem,
    CatalogSearchKind,
    CatalogSearchResult,
    Interaction,
    InteractiveCatalogItem,
)
from harlequin.exception import HarlequinConnectionError, HarlequinQueryError
from harlequin.options import TextOption

from .errors import BrainlakeError, NotAdmittedError, QueryError

if TYPE_CHECKING:
    from harlequin.driver import HarlequinDriver

    from .facade import Lake
    from .relation import Relation

MOST_BYTES = 1 << 30  # of an answer, which the client holds in memory
FUNCTIONS = "functions"  # where the tree has what belongs to no schema

# Types as short as they stand beside a name in the tree and above a column of an answer.
_SHORT = {
    "BOOLEAN": "t/f",
    "TINYINT": "#",
    "SMALLINT": "#",
    "INTEGER": "#",
    "BIGINT": "##",
    "FLOAT": "#.#",
    "DOUBLE": "#.#",
    "VARCHAR": "s",
    "BLOB": "0b",
    "TIMESTAMP": "ts",
    "DATE": "d",
    "STRUCT": "{}",
    "MAP": "{m}",
    "parameter": ":=",
}
_KINDS = {"table": "t", "user table": "t", "view": "v", "macro": "m", "function": "f", "udf": "f"}


def short_type(kind: str) -> str:
    """A type as the tree abbreviates it: ``##`` a whole number, ``[#.#]`` a list of numbers."""
    if kind.endswith("]"):
        return f"[{short_type(kind[: kind.rindex('[')])}]"
    return _SHORT.get(kind.partition("(")[0], "?")


def _joined(*parts: str | None) -> str:
    return " ".join(part for part in parts if part)


def _measure(unit: str | None) -> str | None:
    return None if unit in (None, "1") else unit


class BrainlakeAdapter(HarlequinAdapter):
    """``harlequin -a brainlake DIR``; without a directory ``$BRAINLAKE``, or ``./brainlake``."""

    ADAPTER_OPTIONS = [  # noqa: RUF012 - as harlequin declares it
        TextOption("at", "Look back: a snapshot's number, a tag, or a time.", label="Snapshot")
    ]
    IMPLEMENTS_CANCEL = True
    IMPLEMENTS_CATALOG_SEARCH = True
    IMPLEMENTS_READ_ONLY = True
    IMPLEMENTS_VALIDATE_SQL = True
    ADAPTER_DETAILS = "SQL over a lake of brain recordings, for reading."

    def __init__(self, conn_str: Sequence[str] = (), at: str | int | None = None, **_: Any) -> None:
        named = [part for part in conn_str if part]
        if len(named) > 1:
            raise HarlequinConnectionError("one lake at a time", title="brainlake cannot open these.")
        self._path = Path(named[0]) if named else None
        self._at = int(at) if isinstance(at, str) and at.isdigit() else at

    @property
    def connection_id(self) -> str:
        """By which the client keeps a history of questions."""
        from .opening import default_path

        return f"{(self._path or default_path()).resolve()}{f'@{self._at}' if self._at is not None else ''}"

    def connect(self) -> LakeConnection:
        """Raises HarlequinConnectionError where there is no lake that can be opened."""
        from .opening import open

        try:
            lake = open(self._path, self._at)
        except BrainlakeError as error:
            raise HarlequinConnectionError(str(error), title="brainlake cannot open the lake.") from None
        return LakeConnection(lake, pinned=self._at is not None)


class LakeConnection(HarlequinConnection):
    """A lake on one snapshot."""

    def __init__(self, lake: Lake, *, pinned: bool = False) -> None:
        moves = "stays on it" if pinned else "refresh the catalogue to move to a later one"
        super().__init__(init_message=f"{lake.path}, snapshot {lake.snapshot}: {moves}")
        self.init_message = f"{lake.path}, snapshot {lake.snapshot}: {moves}"
        self.lake, self._pinned = lake, pinned
        self._changing = threading.Lock()
        self._listed = False
        self._asked: set[LakeCursor] = set()

    # -- asking ---------------------------------------------------------------------------------------------------

    def execute(self, query: str) -> LakeCursor | None:
        """Raises HarlequinQueryError where the query has a mistake, or would do more than read."""
        try:
            with self._changing:
                relation = self.lake.sql(query)
            return LakeCursor(self, relation)
        except BrainlakeError as error:
            raise _told(error) from None

    def cancel(self) -> None:
        """Stop what is computed."""
        for cursor in list(self._asked):
            cursor.stop()

    def validate_sql(self, text: str) -> str:
        """The text, or nothing where DuckDB cannot read it as statements."""
        import duckdb

        try:
            return text if duckdb.extract_statements(text) else ""
        except duckdb.Error:
            return ""

    def close(self) -> None:
        """Stop what is computed, and close the lake."""
        self.cancel()
        self.lake.close()

    # -- what there is --------------------------------------------------------------------------------------------

    def get_catalog(self) -> Catalog:
        """The tree: schemas, what is in them, and of that the columns or parameters. Moves to the latest snapshot."""
        with self._changing:
            if self._listed and not self._pinned:
                self.lake.refresh()
            self._listed = True
            relations = self.lake.sql("select name, kind, signature, grain from lake.relations order by name").pl()
            columns = self.lake.sql(
                """
                select name, column_name, column_type, unit, description
                from lake.columns
                order by name, position
                """
            ).pl()
        below: dict[str, list[CatalogItem]] = {}
        for name, *column in columns.iter_rows():
            below.setdefault(name, []).append(_column(name, *column))
        schemas: dict[str, list[CatalogItem]] = {}
        for name, kind, signature, grain in relations.iter_rows():
            schema, _, label = name.rpartition(".")
            item = Item(name, signature, label, _KINDS[kind], below.get(name, []), kind, True, None, grain or "")
            schemas.setdefault(schema or FUNCTIONS, []).append(item)
        return Catalog([CatalogItem(name, name, name, str(len(items)), items) for name, items in schemas.items()])

    def search_catalog(self, term: str, kind: CatalogSearchKind = "all") -> list[CatalogSearchResult]:
        """Items whose name or description holds a term."""
        wanted = term.casefold()
        return [
            CatalogSearchResult(item, parents)
            for item, parents in _walk(self.get_catalog().items)
            if (kind == "all" or (kind, len(parents)) in (("relations", 1), ("columns", 2)))
            and wanted in f"{item.label} {getattr(item, 'meaning', '')}".casefold()
        ]

    def get_completions(self) -> list[HarlequinCompletion]:
        """Keywords, types and functions of DuckDB; names of the lake's own come from the tree."""
        with self._changing:
            found = self.lake.sql(_WORDS).pl()
        return [HarlequinCompletion(label, kind, label, priority) for label, kind, priority in found.iter_rows()]


_WORDS = """
    select keyword_name, 'kw', if(keyword_category = 'reserved', 100, 1000)
    from duckdb_keywords()
    union
    select function_name, case function_type when 'aggregate' then 'agg' when 'table' then 'fn->T' else 'fn' end, 1000
    from duckdb_functions()
    where function_type in ('scalar', 'aggregate', 'table', 'macro') and database_name = 'system'
      and function_name[1] between 'a' and 'z'
    union
    select type_name, 'type', 1000
    from duckdb_types()
    where database_name = 'system'
"""


class LakeCursor(HarlequinCursor):
    """An answer, computed when it is fetched."""

    def __init__(self, connection: LakeConnection, relation: Relation) -> None:
        self._connection, self._relation = connection, relation
        self._limit: int | None = None
        self._stopped = threading.Event()

    def columns(self) -> list[tuple[str, str]]:
        """Name of each column with its type and unit."""
        units = self._relation.units
        return [
            (name, _joined(short_type(kind), _measure(units.get(name)))) for name, kind in self._relation.types.items()
        ]

    def set_limit(self, limit: int) -> LakeCursor:
        """Fetch no more rows than that."""
        self._limit = limit
        return self

    def fetchall(self) -> pa.Table | None:
        """The answer; None where it was stopped.

        Raises HarlequinQueryError where it fails, or is larger than what a client should hold.
        """
        self._connection._asked.add(self)
        try:
            return self._fetched()
        except BrainlakeError as error:
            if self._stopped.is_set():
                return None
            raise _told(error) from None
        finally:
            self._connection._asked.discard(self)

    def _fetched(self) -> pa.Table:
        reader = self._relation.reader()
        batches: list[pa.RecordBatch] = []
        rows = size = 0
        for batch in reader:
            batch = batch if self._limit is None else batch.slice(0, self._limit - rows)
            rows, size = rows + batch.num_rows, size + batch.nbytes
            if self._stopped.is_set():
                raise QueryError("stopped")
            if size > MOST_BYTES:
                raise QueryError(
                    f"the first {rows:,} rows fill {MOST_BYTES >> 30} GB, more than fits here: ask for fewer rows or "
                    "columns, or write the answer to a file with `brainlake sql -o`"
                )
            batches.append(batch)
            if rows == self._limit:
                break
        return pa.Table.from_batches(batches, reader.schema)

    def stop(self) -> None:
        """Let :meth:`fetchall`, which runs in another thread, end without an answer."""
        self._stopped.set()
        self._relation.interrupt()


def _told(error: BrainlakeError) -> HarlequinQueryError:
    refused = isinstance(error, NotAdmittedError)
    return HarlequinQueryError(
        str(error), title="This session only reads." if refused else "The question cannot be answered."
    )


# -- the tree ---------------------------------------------------------------------------------------------------------


def _tell(item: Item, driver: HarlequinDriver) -> None:
    driver.notify(item.meaning if isinstance(item, ColumnItem) else f"{item.query_name}: {item.meaning}")


def _insert_columns(item: Item, driver: HarlequinDriver) -> None:
    driver.insert_text_at_selection(", ".join(child.query_name for child in item.children))


def _ask(item: Item, driver: HarlequinDriver) -> None:
    is_scalar = item.type_name in ("function", "udf")
    driver.insert_text_in_new_buffer(f"select {item.query_name}" if is_scalar else f"from {item.query_name}\nlimit 100")


def _describe(item: Item, driver: HarlequinDriver) -> None:
    driver.insert_text_in_new_buffer(
        f"-- {item.meaning}\n"
        "select column_name, column_type, unit, description\n"
        f"from lake.columns\nwhere name = '{item.qualified_identifier}'\norder by position"
    )


@dataclass
class Item(InteractiveCatalogItem):
    """A table, view, macro or function of the tree, or a column of one."""

    INTERACTIONS: ClassVar[Sequence[tuple[str, Interaction[Any]]] | None] = (
        ("What Is It", _tell),
        ("Ask", _ask),
        ("Describe", _describe),
        ("Insert Columns at Cursor", _insert_columns),
    )
    meaning: str = ""


class ColumnItem(Item):
    """A column, or a parameter."""

    INTERACTIONS: ClassVar[Sequence[tuple[str, Interaction[Any]]] | None] = (("What Is It", _tell),)


def _column(relation: str, name: str, kind: str, unit: str | None, description: str | None) -> CatalogItem:
    quoted = name if name.isidentifier() and name == name.lower() else f'"{name}"'
    label = _joined(short_type(kind), _measure(unit))
    meaning = f"{name} ({kind.lower()}{f', {unit}' if unit else ''}): {description or 'no more is known of it'}"
    return ColumnItem(f"{relation}.{name}", quoted, name, label, [], kind, True, None, meaning)


def _walk(items: Sequence[CatalogItem], parents: tuple[str, ...] = ()) -> Iterator[tuple[CatalogItem, tuple[str, ...]]]:
    for item in items:
        yield item, parents
        yield from _walk(item.children, (*parents, item.label))
