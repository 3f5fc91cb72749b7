"""Volumes of labels as the lake keeps them: runs along ap, packed sagittal planes, and where each label is.

Measured in docs/volume-layout.md: of the three axes, runs along ap are fewest, and they come in the order of the file.
A plane lies in one hemisphere, so a run does too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from ..lake.errors import SourceError
from .contract import Rows, Source

MAX_LABEL = 2**32 - 1
MAX_PLANE_LABELS = 2**16


def hemispheres(n_ml: int) -> np.ndarray:
    """Hemisphere of each index along ml: 1 left below the middle, 2 right (RSP-13)."""
    return np.where(np.arange(n_ml) < round(n_ml / 2), 1, 2).astype(np.int8)


def label_rows(
    source: Source, volume_id: int, shape: tuple[int, int, int], planes: Iterable[tuple[int, np.ndarray]]
) -> Iterator[Rows]:
    """Runs and packed planes of a volume, then its geometry. Raises SourceError where a voxel is no label."""
    side = hemispheres(shape[2])
    found = LabelGeometry()
    for ml, plane in planes:
        labels = _as_labels(source, plane)
        dv, ap, run_labels, lengths = runs_of(labels)
        distinct, which = np.unique(run_labels, return_inverse=True)
        if len(distinct) > MAX_PLANE_LABELS:
            raise SourceError(source, f"plane {ml}", f"has {len(distinct):,} labels: no annotation has so many")
        yield Rows(
            "ccf.annotation_planes",
            {
                "volume_id": volume_id,
                "ml_index": np.array([ml], np.int16),
                "row_starts": [row_starts(dv, shape[1]).astype("<i4").tobytes()],
                "run_starts": [ap.astype("<u2").tobytes()],
                "run_labels": [which.astype("<u2").tobytes()],
                "plane_labels": [distinct.astype("<u4").tobytes()],
            },
        )
        kept = run_labels > 0
        if not kept.any():
            continue
        dv, ap, run_labels, lengths = dv[kept], ap[kept], run_labels[kept].astype(np.int64), lengths[kept]
        found.add(side[ml], ml, dv, ap, lengths, run_labels)
        yield Rows(
            "ccf.annotation_runs",
            {
                "volume_id": volume_id,
                "ml_index": np.full(len(ap), ml, np.int16),
                "dv_index": dv.astype(np.int16),
                "ap_index": ap.astype(np.int16),
                "n_voxels": lengths.astype(np.int16),
                "structure_id": run_labels,
                "hemisphere_id": np.full(len(ap), side[ml], np.int8),
            },
        )
    yield from found.rows(volume_id)


def _as_labels(source: Source, plane: np.ndarray) -> np.ndarray:
    if plane.dtype.kind in "ub":
        if plane.dtype.itemsize == 8 and plane.size and plane.max() > MAX_LABEL:
            raise SourceError(source, "voxels", f"hold a label above {MAX_LABEL:,}")
        return plane
    whole = plane.astype(np.int64) if plane.dtype.kind == "f" else plane
    if plane.dtype.kind == "f" and not np.array_equal(whole, plane):
        raise SourceError(source, "voxels", "are no whole numbers, as labels are", "say what it is: --set kind=grey")
    if whole.size and (whole.min() < 0 or whole.max() > MAX_LABEL):
        raise SourceError(source, "voxels", f"hold a label outside of 0 to {MAX_LABEL:,}")
    return whole


def runs_of(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Runs of equal labels along the rows of a plane, background among them.

    labels : [dv, ap]
    returns : row, first index, label and length of each run
    """
    begins = np.ones(labels.shape, bool)
    np.not_equal(labels[:, 1:], labels[:, :-1], out=begins[:, 1:])
    at = np.flatnonzero(begins)
    lengths = np.diff(at, append=labels.size)
    rows, first = np.divmod(at, labels.shape[1])
    return rows, first, labels.ravel()[at], lengths


def row_starts(rows: np.ndarray, n_rows: int) -> np.ndarray:
    """Where the runs of each row begin, and one more for the end."""
    return np.searchsorted(rows, np.arange(n_rows + 1))


class LabelGeometry:
    """How many voxels each label has in each hemisphere, and where, from runs as they come."""

    def __init__(self) -> None:
        self._keys: list[np.ndarray] = []  # label and hemisphere
        self._sums: list[np.ndarray] = []  # voxels, and sums of ap, dv, ml
        self._first: list[np.ndarray] = []
        self._last: list[np.ndarray] = []

    def add(self, side: int, ml: int, dv: np.ndarray, ap: np.ndarray, lengths: np.ndarray, labels: np.ndarray) -> None:
        """Runs of one plane."""
        order = np.argsort(labels, kind="stable")
        labels, dv, ap, lengths = labels[order], dv[order], ap[order], lengths[order]
        at = np.flatnonzero(np.concatenate([[True], labels[1:] != labels[:-1]]))
        n = np.add.reduceat(lengths, at)
        last = ap + lengths - 1
        ap_sum = np.add.reduceat((ap + last) * lengths // 2, at)  # of ap ... last
        dv_sum = np.add.reduceat(dv * lengths, at)
        self._keys.append(np.column_stack([labels[at], np.full(len(at), side)]))
        self._sums.append(np.column_stack([n, ap_sum, dv_sum, n * ml]))
        same = np.full(len(at), ml)
        self._first.append(np.column_stack([np.minimum.reduceat(ap, at), np.minimum.reduceat(dv, at), same]))
        self._last.append(np.column_stack([np.maximum.reduceat(last, at), np.maximum.reduceat(dv, at), same]))

    def rows(self, volume_id: int) -> Iterator[Rows]:
        """A row a label and hemisphere."""
        if not self._keys:
            return
        keys, into = np.unique(np.concatenate(self._keys), axis=0, return_inverse=True)
        into = into.ravel()
        sums = np.zeros((len(keys), 4), np.int64)
        np.add.at(sums, into, np.concatenate(self._sums))
        first = np.full((len(keys), 3), np.iinfo(np.int32).max, np.int32)
        np.minimum.at(first, into, np.concatenate(self._first).astype(np.int32))
        last = np.zeros((len(keys), 3), np.int32)
        np.maximum.at(last, into, np.concatenate(self._last).astype(np.int32))
        yield Rows(
            "ccf.label_geometry",
            {
                "volume_id": volume_id,
                "structure_id": keys[:, 0],
                "hemisphere_id": keys[:, 1].astype(np.int8),
                "n_voxels": sums[:, 0],
                "ap_index_sum": sums[:, 1],
                "dv_index_sum": sums[:, 2],
                "ml_index_sum": sums[:, 3],
                "first_index": first.tolist(),
                "last_index": last.tolist(),
            },
        )
