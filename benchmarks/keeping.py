"""What keeping a lake costs: digests of files, deep checks, expiry of a long history, kept answers of heavy views."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import brainlake
import numpy as np
import pyarrow as pa
from brainlake.lake.catalog import Catalog
from brainlake.lake.checking import check
from brainlake.lake.expiring import expire
from brainlake.lake.forgetting import forget
from brainlake.lake.sealing import seal
from brainlake.lake.usage import usage
from brainlake.lake.writer import IngestWriter
from brainlake.tests.fixtures.allen_icephys import make_cell, write_nwb1

from .material import Material
from .measure import Row, faster, milliseconds, seconds

# The heaviest views that are kept: of a cell's sweeps, and of a session's units.
VIEWS = ("icephys.spike_features", "icephys.sweep_features", "icephys.cell_features")
UNITS = ("ecephys.unit_spike_trains", "ecephys.waveforms")
SNAPSHOTS, SESSIONS = 2_000, 200


def keeping(material: Material) -> list[Row]:
    """Each against what one would do without: hash only, compute anew."""
    return [*_digests(material), *_memos(material), *_history(material)]


def _digests(material: Material) -> list[Row]:
    """Sealing a file, which takes its digest, against fsync alone; a deep check against hashing the same files."""
    block = np.random.default_rng(0).bytes(64 << 20)
    with tempfile.TemporaryDirectory(dir=material.directory) as folder:
        path = Path(folder) / "file"

        def write(then: str) -> float:
            path.unlink(missing_ok=True)
            path.write_bytes(block)
            return milliseconds(lambda: seal(path) if then == "seal" else _fsync(path), 1, 0)

        sealed, synced = (float(np.median([write(then) for _ in range(5)])) for then in ("seal", "fsync"))
    rows = [Row("seal a file of 64 MB: digest and fsync", sealed, "ms", synced, "fsync alone", synced / sealed)]
    root = material.lake(2_000_000)
    with contextlib.closing(Catalog.open(root)) as catalog:
        files = [root / file.path for table in catalog.state().tables.values() for file in table.files]
        size = sum(path.stat().st_size for path in files)
        deep, found = seconds(lambda: check(catalog, deep=True))
        if [finding for finding in found if finding.kind == "damage"]:
            raise RuntimeError(f"the lake is damaged: {found}")
        hashed, _ = seconds(lambda: [hashlib.sha256(path.read_bytes()).hexdigest() for path in files])
    what = f"deep check of {size / 1e6:,.0f} MB in {len(files)} files"
    return [*rows, faster(what, deep * 1e3, hashed * 1e3, "SHA-256 alone, one process")]


def _fsync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _memos(material: Material) -> list[Row]:
    """Answers of heavy views: kept, against computed."""
    root = material.directory / "keeping_cell"
    if not root.exists():
        path = material.directory / "keeping_cell.nwb"
        write_nwb1(path, make_cell())
        with brainlake.create(root) as lake:
            lake.ingest(path).raise_failed()
    rows = []
    for place, views in ((root, VIEWS), (material.lake(2_000_000), UNITS)):
        shutil.rmtree(place / "cache", ignore_errors=True)
        for view in views:
            with brainlake.open(place) as lake:
                computed = milliseconds(lambda lake=lake, view=view: lake.sql(f"from {view}").arrow(), 3)
                made, done = seconds(lambda lake=lake, view=view: lake.materialize(view, jobs=1))
                done.raise_failed()
                kept = milliseconds(lambda lake=lake, view=view: lake.sql(f"from {view}").arrow(), 3)
            rows.append(faster(f"{view}, kept in {made:.1f} s", kept, computed, "computed"))
    return rows


def _history(material: Material) -> list[Row]:
    """A lake of SESSIONS sessions that were replaced until there are SNAPSHOTS snapshots."""
    with tempfile.TemporaryDirectory(dir=material.directory) as folder:
        catalog = Catalog.create(Path(folder) / "lake")
        for number in range(SNAPSHOTS):
            _ingest(catalog, number % SESSIONS)
        before = (catalog.root / "catalog.sqlite").stat().st_size
        used = milliseconds(lambda: usage(catalog, "subject"), 3)
        dry, _ = seconds(lambda: forget(catalog, "session=*", only=["spikes"], dry_run=True))
        spent, done = seconds(lambda: expire(catalog, "1 snapshot", grace=timedelta(0)))
        after = (catalog.root / "catalog.sqlite").stat().st_size
        if done.removed_files != SNAPSHOTS - SESSIONS:
            raise RuntimeError(f"{done.removed_files} files were removed, not {SNAPSHOTS - SESSIONS}")
        catalog.close()
    history = f"{SNAPSHOTS:,} snapshots"
    return [
        Row(f"du by subject, {history}", used),
        Row(f"forget a part of {SESSIONS} sessions, dry run", dry * 1e3),
        Row(f"expire {history} and {done.removed_files:,} files", spent * 1e3),
        Row("catalogue after, of before", 100 * after / before, "%"),
    ]


def _ingest(catalog: Catalog, session: int) -> None:
    ticks = pa.array([[1, 2, 3]], pa.list_(pa.int64()))
    with IngestWriter(
        catalog, subject=f"ecephys.session/{session}", role="r", source_url="x", source_size=1, source_sha256="0",
        reader="x", reader_version="1", options={}, parts=["spikes"],
    ) as writer:  # fmt: skip
        row = {"session_id": session, "time_block": 0, "unit_id": [session], "n_spikes": 3, "clock_rate": 1.0,
               "clock_shift": 0.0, "spike_ticks": ticks}  # fmt: skip
        writer.write("ecephys.spike_trains", row)
        writer.commit()
