"""The files and lakes that benchmarks work on: made once in a directory, found there the next time."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import brainlake
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from brainlake.lake.catalog import Catalog
from brainlake.lake.folding import fold_small_tables
from brainlake.lake.tables import TABLES
from brainlake.lake.writer import IngestWriter
from brainlake.tests.fixtures.allen_ecephys import make_session
from brainlake.tests.fixtures.allen_truth import Truth

SESSION_ID = 791319847
DURATION_S = 9600.0
UNITS_A_MILLION = 1000 / 45  # units whose spikes over the session make a million
_IDS = ("session_id", "unit_id", "probe_id", "channel_id", "peak_channel_id")
_COPIED = (
    "ecephys.nwb_sessions",
    "ecephys.nwb_probes",
    "ecephys.nwb_channels",
    "ecephys.nwb_units",
    "ecephys.spike_trains",
)


@dataclass(frozen=True)
class Material:
    """A directory of generated sessions and lakes.

    n_spikes : of the large session
    """

    directory: Path
    n_spikes: int = 45_000_000

    def truth(self, n_spikes: int) -> Truth:
        """A session of so many spikes: more spikes are more units, as each fires at its own rate."""
        n_units = max(24, round(n_spikes / 1e6 * UNITS_A_MILLION))
        return Truth(
            session_id=SESSION_ID, n_units=n_units, n_spikes=n_spikes, n_probes=6, duration=DURATION_S, scale=4
        )

    def session(self, n_spikes: int) -> Path:
        """Its file."""
        path = self.directory / f"session_{n_spikes}.nwb"
        if not path.exists():
            making = path.with_suffix(".part")
            make_session(making, truth=self.truth(n_spikes))
            making.rename(path)
        return path

    def lake(self, n_spikes: int) -> Path:
        """A lake that holds it."""
        path = self.directory / f"lake_{n_spikes}"
        if not path.exists():
            ingest(self.session(n_spikes), path)
        return path

    def copies(self, n_spikes: int, n_sessions: int, tables: Sequence[str] = _COPIED) -> Path:
        """A lake of so many sessions, all copies of one under ids of their own, each its own ingest."""
        path = self.directory / f"lake_{n_sessions}x{n_spikes}"
        if path.exists():
            return path
        making = path.with_suffix(".part")
        shutil.rmtree(making, ignore_errors=True)
        brainlake.create(making).close()
        with brainlake.open(self.lake(n_spikes)) as lake:
            rows = {name: lake.sql(f"from {name}").arrow() for name in tables}
        rows = {
            name: table.drop_columns([c for c in ("ingest_id",) if c in table.column_names])
            .select([c.name for c in TABLES[name].columns])
            .sort_by([(c, "ascending") for c in TABLES[name].sort])
            for name, table in rows.items()
        }
        catalog = Catalog.open(making)
        for copy in range(n_sessions):
            _write_copy(catalog, rows, copy)
            if copy % 1000 == 999:
                fold_small_tables(catalog)
        fold_small_tables(catalog)
        catalog.close()
        making.rename(path)
        return path

    @cached_property
    def large_truth(self) -> Truth:
        return self.truth(self.n_spikes)

    @property
    def large_session(self) -> Path:
        return self.session(self.n_spikes)

    @property
    def large_lake(self) -> Path:
        return self.lake(self.n_spikes)

    def trains(self, n_units: int) -> list[np.ndarray]:
        """Sorted spike times of the session's first units, in memory, as peers want them."""
        return [self.large_truth.train(unit.unit_id) for unit in self.large_truth.units[:n_units]]


def ingest(source: Path, root: Path) -> float:
    """Ingest one file into a new lake; returns the seconds it took."""
    shutil.rmtree(root, ignore_errors=True)
    with brainlake.create(root) as lake:
        report = lake.ingest(source)
        report.raise_failed()
        return report.items[0].seconds


def _write_copy(catalog: Catalog, rows: dict[str, pa.Table], copy: int) -> None:
    session = SESSION_ID + copy
    writer = IngestWriter(
        catalog,
        subject=f"ecephys.session/{session}",
        role="session_nwb",
        source_url=f"copy://{session}",
        source_size=0,
        source_sha256=f"{session:064x}",
        reader="copy",
        reader_version="1",
        options={},
        parts=["session", "probes", "channels", "units", "spikes"],
    )
    with writer:
        for name, table in rows.items():
            for column in _IDS:
                if column in table.column_names:
                    # session ids follow each other; other ids move by more than a session has of them
                    step = copy if column == "session_id" else copy * 100_000
                    at = table.schema.get_field_index(column)
                    table = table.set_column(
                        at, table.schema.field(at), pc.add(table[column], pa.scalar(step, pa.int64()))
                    )
            writer.write(name, table)
        writer.commit()


def drop_from_page_cache(path: Path) -> None:
    """So that the next read of a file comes from the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
