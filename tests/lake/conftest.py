"""Small ingests for the engine's tests: spike trains of a session, layers of units."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pytest
from brainlake.lake.catalog import Catalog
from brainlake.lake.writer import Committed, IngestWriter


def make_trains(session: int, units: list[int]) -> dict[str, Any]:
    """Three spikes of each unit, in the first time block."""
    ticks = pa.array([[i, i + 1, i + 2] for i in range(len(units))], pa.list_(pa.int64()))
    return {
        "session_id": session, "time_block": 0, "unit_id": units, "n_spikes": 3, "clock_rate": 30000.0,
        "clock_shift": 0.0, "spike_ticks": ticks,
    }  # fmt: skip


class Engine:
    """Ingests without readers."""

    trains = staticmethod(make_trains)

    @staticmethod
    def ingest(catalog: Catalog, subject: str, rows: Mapping[str, Any], **facts: Any) -> Committed:
        """One ingest of a subject: table -> its rows."""
        given = {
            "role": "session_nwb", "source_url": f"{subject}.nwb", "source_size": 10, "source_sha256": "00",
            "reader": "nwb", "reader_version": "1", "options": {}, "parts": ["units", "spikes"], **facts,
        }  # fmt: skip
        with IngestWriter(catalog, subject=subject, **given) as writer:
            for table, columns in rows.items():
                writer.write(table, columns)
            return writer.commit()


@pytest.fixture(scope="session")
def engine() -> type[Engine]:
    return Engine
