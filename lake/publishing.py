"""A lake that no longer changes: one snapshot, with digests of all files, citations, and words for who finds it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .bag import write_bag
from .catalog import Catalog
from .catalog_file import CATALOG_FILE
from .copying import Copied, Progress, drafting, fill
from .datasets import entries, software
from .provenance import citations

README = """# {title}

A lake of brain data, published on {day} from snapshot {snapshot} with brainlake {version}. It does not change: it opens
for reading from any directory, also from one that cannot be written.

    pip install brainlake
    brainlake --lake . tables
    brainlake --lake . sql "from lake.holdings"
    brainlake --lake . check --deep      # compares every file with its digest

In Python: `brainlake.open("path/to/this/directory")`. Without brainlake: `data/<schema>/<table>/` holds Parquet files
that any tool reads, and `catalog.sqlite` is a DuckLake 1.0 catalogue of them. To go on working with it,
`brainlake --lake . copy MY_LAKE` makes a lake that can be written.

The directory is a bag (RFC 8493): `manifest-sha256.txt` and `tagmanifest-sha256.txt` list the digest of every file.

## What is in it

{contents}
## Sources

{sources}
## Terms

{terms}
## How to cite

Entries of BibTeX are in `CITATION.bib`.

{citation}
"""


def publish(
    catalog: Catalog,
    to: str | os.PathLike[str],
    *,
    where: Sequence[str] = (),
    snapshot: int | None = None,
    also: Iterable[str] = (),
    title: str | None = None,
    link: bool = False,
    progress: Progress = lambda *_: None,
) -> Copied:
    """Make a frozen copy of what a snapshot sees, at a place where nothing is yet. See :func:`.copying.copy`."""
    with drafting(catalog.root, to) as draft:
        number = catalog.resolve(snapshot)
        done = fill(catalog, draft, where=where, snapshot=number, also=also, link=link, progress=progress)
        day = f"{datetime.now(UTC):%Y-%m-%d}"
        for folder in ("raw", "cache"):
            (draft / folder).rmdir()
        copied = Catalog.open(draft)
        try:
            known, contents, ingests = _facts(copied)
            with copied.writing() as database:
                database.execute("insert or replace into brainlake_metadata values ('frozen', ?)", [day])
                _forget_this_machine(database)
        finally:
            copied.close()
        name = title or Path(to).name
        _write_words(draft, name, day, number, contents, ingests)
        facts = {"External-Description": name, "Source-Organization": "brainlake", "Bag-Software-Agent": _agent()}
        write_bag(draft, known, facts)
        (draft / CATALOG_FILE).chmod(0o444)
    return Copied(**{**vars(done), "path": Path(to).expanduser().absolute()})


def _forget_this_machine(database: sqlite3.Connection) -> None:
    """Where files lay here tells others nothing: a source is known by its name and digest."""
    rows = database.execute("select rowid, source_url from brainlake_ingest where source_url like '/%'").fetchall()
    database.executemany(
        "update brainlake_ingest set source_url = ? where rowid = ?", [(url.rsplit("/", 1)[-1], i) for i, url in rows]
    )
    database.execute("delete from brainlake_failure")


def _agent() -> str:
    from ..version import __version__

    return f"brainlake {__version__}"


def _facts(catalog: Catalog) -> tuple[dict[str, str], list[tuple[str, int, int]], list[dict[str, Any]]]:
    """Digests by path; rows and bytes of each table; the ingests."""
    state = catalog.state()
    with catalog.reading() as database:
        attached = database.execute("select path, sha256 from brainlake_attachment where sha256 is not null").fetchall()
    files = state.relations["lake.files"]().to_pylist()
    known = {f["path"]: f["sha256"] for f in files if f["sha256"]} | dict(attached)
    contents = [
        (name, sum(f.n_rows for f in table.files), sum(f.size_bytes for f in table.files))
        for name, table in sorted(state.tables.items())
        if table.files
    ]
    return known, contents, state.relations["lake.ingests"]().to_pylist()


def _write_words(
    draft: Path, title: str, day: str, snapshot: int, contents: Sequence[tuple[str, int, int]],
    ingests: Sequence[Mapping[str, Any]],
) -> None:  # fmt: skip
    from ..version import __version__

    bibtex = "\n\n".join(entries([*citations(ingests), software(__version__).bibtex]))
    (draft / "CITATION.bib").write_text(bibtex + "\n", encoding="utf-8")
    tables = "".join(f"| `{name}` | {rows:,} | {size / 1e6:,.1f} |\n" for name, rows, size in contents)
    sources = "".join(
        f"| {one['subject']} | {one['role']} | `{str(one['source_url']).rsplit('/', 1)[-1]}` "
        f"| `{one['source_sha256'][:16]}` | {one['dataset'] or ''} |\n"
        for one in ingests
    )
    terms = {one["dataset"]: one["licence"] or "not told" for one in ingests if one["dataset"]}
    text = README.format(
        title=title, day=day, snapshot=snapshot, version=__version__,
        contents=f"| table | rows | MB |\n| --- | ---: | ---: |\n{tables}",
        sources=f"| about | as | file | SHA-256 begins | collection |\n| --- | --- | --- | --- | --- |\n{sources}",
        terms="".join(f"- {name}: {licence}\n" for name, licence in terms.items()) or "None are told by the sources.\n",
        citation=f"```bibtex\n{bibtex}\n```",
    )  # fmt: skip
    (draft / "README.md").write_text(text, encoding="utf-8")
