"""Labels of an annotation, looked up in packed sagittal planes (``ccf.annotation_planes``).

A plane is three byte strings: where the runs of each row (a dv index) begin, the first ap index of each run, and its
label. A look-up is a binary search within a row, done for all points of all planes at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from .registry import Ragged, udf

_blob, _longs = pa.binary(), pa.list_(pa.int64())


@dataclass(frozen=True)
class Planes:
    """Packed planes side by side. Row d of plane i has its runs at ``starts[rows[i] + d]`` of ``first`` and ``labels``.

    ends : one more than the last run of each plane
    """

    rows: np.ndarray
    n_rows: np.ndarray
    starts: np.ndarray
    first: np.ndarray
    labels: np.ndarray
    ends: np.ndarray

    @classmethod
    def of(cls, row_starts: Ragged, run_starts: Ragged, run_labels: Ragged) -> Planes:
        """Of three columns of byte strings; nothing is copied but the row starts."""
        counts = row_starts.lengths // 4
        rows = row_starts.offsets[:-1] // 4
        base = run_starts.offsets[:-1] // 2
        starts = row_starts.values.view("<i4").astype(np.int64) + np.repeat(base, counts)
        return cls(
            rows,
            counts - 1,
            starts,
            run_starts.values.view("<u2"),
            run_labels.values.view("<u4"),
            run_starts.offsets[1:] // 2,
        )

    def find(self, plane: np.ndarray, dv: np.ndarray, ap: np.ndarray) -> np.ndarray:
        """Label at each point; all must lie within the volume.

        plane : which of these planes; dv, ap : indices
        """
        row = self.rows[plane] + dv
        low, high = self.starts[row], self.starts[row + 1]
        # the run of a point is the last of its row that begins at or before it; the first begins at 0
        while True:
            undecided = high - low > 1
            if not undecided.any():
                return self.labels[low].astype(np.int64)
            middle = (low + high) // 2
            is_later = self.first[middle] <= ap
            low = np.where(undecided & is_later, middle, low)
            high = np.where(undecided & ~is_later, middle, high)

    def plane(self, i: int, n_ap: int) -> np.ndarray:
        """All labels of a plane, ``[dv, ap]``."""
        begin, end = self.starts[self.rows[i]], self.ends[i]
        row = np.repeat(
            np.arange(self.n_rows[i]), np.diff(self.starts[self.rows[i] : self.rows[i] + self.n_rows[i] + 1])
        )
        at = row * n_ap + self.first[begin:end]
        lengths = np.diff(at, append=self.n_rows[i] * n_ap)
        return np.repeat(self.labels[begin:end].astype(np.int64), lengths).reshape(-1, n_ap)


@udf(args=[_blob, _blob, _blob, _longs, _longs], returns=_longs)
def labels_at(row_starts: Ragged, run_starts: Ragged, run_labels: Ragged, dv: Ragged, ap: Ragged) -> Ragged:
    """Label of each point of each plane, 0 where there is none.

    row_starts, run_starts, run_labels : packed planes, a row each
    dv, ap : ragged, indices of the points of each plane, within the volume
    returns : ragged int64, as dv
    """
    planes = Planes.of(row_starts, run_starts, run_labels)
    which = np.repeat(np.arange(len(dv)), dv.lengths)
    return Ragged(planes.find(which, dv.values, ap.values), dv.offsets)


@udf(args=[_blob, _blob, _blob, pa.string(), pa.int64(), pa.int64()], returns=_longs)
def labels_of_slice(
    row_starts: Ragged,
    run_starts: Ragged,
    run_labels: Ragged,
    plane_name: np.ndarray,
    slice_index: np.ndarray,
    n_ap: np.ndarray,
) -> Ragged:
    """What a slice of a volume has of each sagittal plane: a row of labels, or all of them for a sagittal slice.

    plane_name : coronal (labels along dv, at an ap index), horizontal (along ap, at a dv index) or sagittal (all, ap
        fastest, dv slowest)
    slice_index : index of the slice along the axis it cuts
    n_ap : voxels along ap
    returns : ragged int64
    """
    planes = Planes.of(row_starts, run_starts, run_labels)
    rows = []
    for i, (name, index, length) in enumerate(zip(plane_name, slice_index, n_ap, strict=True)):
        if name == "coronal":
            dv = np.arange(planes.n_rows[i])
            rows.append(planes.find(np.full(len(dv), i), dv, np.full(len(dv), index)))
        elif name == "horizontal":
            ap = np.arange(length)
            rows.append(planes.find(np.full(length, i), np.full(length, index), ap))
        else:
            rows.append(planes.plane(i, int(length)).ravel())
    return Ragged.of(rows, np.int64)
