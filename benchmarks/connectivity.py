"""Questions to 8 M unionizes, as many as the connectivity atlas has: a projection matrix beside pandas, look-ups."""

from __future__ import annotations

from pathlib import Path

import brainlake
import numpy as np
import pandas as pd
from brainlake.lake.catalog import Catalog
from brainlake.lake.writer import IngestWriter
from brainlake.tests.fixtures.connectivity import unionize_columns

from .material import Material
from .measure import Row, faster, milliseconds, within

N_EXPERIMENTS, N_STRUCTURES = 1_600, 840  # six unionizes a pair: 8.1 M
ROWS, TARGETS = 300, 300
BATCH = 100  # experiments an ingest


def connectivity(material: Material) -> list[Row]:
    """A matrix of 300 experiments and 300 targets in both hemispheres; one experiment; one structure."""
    root = material.directory / "connectivity"
    if not root.exists():
        _make(root)
    rng = np.random.default_rng(0)
    experiments = (1 + rng.choice(N_EXPERIMENTS, ROWS, replace=False)).tolist()
    targets = (1 + rng.choice(N_STRUCTURES, TARGETS, replace=False)).tolist()
    of_matrix = f"""
        select matrix_row, matrix_column, matrix_value
        from connectivity.projection_matrix({experiments}, {targets}, hemispheres := [1, 2])"""
    with brainlake.open(root) as lake:
        frame = lake.sql("from connectivity.published_unionizes").df()

        def by_sql() -> np.ndarray:
            found = lake.sql(of_matrix).arrow()
            matrix = np.full((ROWS, 2 * TARGETS), np.nan)
            at = found["matrix_row"].to_numpy(), found["matrix_column"].to_numpy()
            matrix[at] = found["matrix_value"].to_numpy()
            return matrix

        def by_pandas() -> np.ndarray:
            kept = frame[
                ~frame.is_injection
                & frame.experiment_id.isin(experiments)
                & frame.structure_id.isin(targets)
                & frame.hemisphere_id.isin([1, 2])
            ]
            wide = kept.pivot_table("projection_volume_mm3", "experiment_id", ["hemisphere_id", "structure_id"])
            columns = pd.MultiIndex.from_product([[1, 2], targets])
            return wide.reindex(index=experiments, columns=columns).to_numpy()

        if not np.array_equal(by_sql(), by_pandas(), equal_nan=True):
            raise RuntimeError("the matrix differs from that of pandas")
        ours, peer = milliseconds(by_sql), milliseconds(by_pandas, repeat=3)
        one = milliseconds(
            lambda: lake.sql(f"from connectivity.find_unionizes(experiments := [{experiments[0]}])").arrow()
        )
        ranked = milliseconds(lambda: lake.sql(f"from connectivity.rank_structures({experiments}, {targets})").arrow())
        return [
            within(f"a matrix of {ROWS} x {2 * TARGETS} from {len(frame):,} unionizes", ours, 300),
            faster("the same: pandas, all unionizes in memory", ours, peer, "pandas"),
            Row("all unionizes of one experiment", one),
            Row(f"the 5 strongest targets of {ROWS} experiments", ranked),
        ]


def _make(root: Path) -> None:
    """A lake of unionizes, and the structures they are of."""
    structures = list(range(1, N_STRUCTURES + 1))
    with brainlake.create(root):
        pass
    catalog = Catalog.open(root)
    listing = {
        "graph_id": 1,
        "structure_id": structures,
        "listing": "tree",
        "list_index": structures,
        "acronym": [f"S{i}" for i in structures],
        "name": [f"structure {i}" for i in structures],
        "structure_id_path": [[i] for i in structures],
        "graph_order": structures,
        "is_leaf": [True] * N_STRUCTURES,
    }
    _write(catalog, "ccf.structures/1", "ccf.listed_structures", listing)
    for first in range(1, N_EXPERIMENTS + 1, BATCH):
        ids = range(first, min(first + BATCH, N_EXPERIMENTS + 1))
        columns = unionize_columns(ids, structures, seed=first)
        _write(catalog, f"connectivity.experiment/{first}", "connectivity.published_unionizes", columns)


def _write(catalog: Catalog, subject: str, table: str, columns: dict[str, object]) -> None:
    writer = IngestWriter(
        catalog, subject=subject, role="generated", source_url=f"generated://{subject}", source_size=0,
        source_sha256=subject, reader="generated", reader_version="1", options={}, parts=["unionizes"],
    )  # fmt: skip
    with writer:
        writer.write(table, columns)
        writer.commit()
