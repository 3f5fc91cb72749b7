"""Labels of an annotation, looked up in packed sagittal planes (``ccf.annotation_planes``).

A plane is four byte strings: where the runs of each row (a dv index) begin, the first ap index of each run, its label as
a place in the plane's list of labels, and that list. A look-up is a binary search within a row, done for all points of
all planes at once.
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
    bases : where the list of labels of each plane begins in ``known``
    """

    rows: np.ndarray
    n_rows: np.ndarray
    starts: np.ndarray
    first: np.ndarray
    labels: np.ndarray
    ends: np.ndarray
    bases: np.ndarray
    known: np.ndarray

    @classmethod
    def of(cls, row_starts: Ragged, run_starts: Ragged, run_labels: Ragged, plane_labels: Ragged) -> Planes:
        """Of four columns of byte strings; nothing is copied but the row starts."""
        counts = row_starts.lengths // 4
        rows = row_starts.offsets[:-1] // 4
        base = run_starts.offsets[:-1] // 2
        starts = row_starts.values.view("<i4").astype(np.int64) + np.repeat(base, counts)
        return cls(
            rows,
            counts - 1,
            starts,
            run_starts.values.view("<u2"),
            run_labels.values.view("<u2"),
            run_starts.offsets[1:] // 2,
            plane_labels.offsets[:-1] // 4,
            plane_labels.values.view("<u4"),
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
                return self.known[self.bases[plane] + self.labels[low]].astype(np.int64)
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
        labels = self.known[self.bases[i] + self.labels[begin:end]]
        return np.repeat(labels.astype(np.int64), lengths).reshape(-1, n_ap)


@udf(args=[_blob, _blob, _blob, _blob, _longs, _longs], returns=_longs)
def labels_at(
    row_starts: Ragged, run_starts: Ragged, run_labels: Ragged, plane_labels: Ragged, dv: Ragged, ap: Ragged
) -> Ragged:
    """Label of each point of each plane, 0 where there is none.

    row_starts, run_starts, run_labels, plane_labels : packed planes, a row each
    dv, ap : ragged, indices of the points of each plane, within the volume
    returns : ragged int64, as dv
    """
    planes = Planes.of(row_starts, run_starts, run_labels, plane_labels)
    which = np.repeat(np.arange(len(dv)), dv.lengths)
    return Ragged(planes.find(which, dv.values, ap.values), dv.offsets)


@udf(args=[_blob, _blob, _blob, _blob, pa.string(), pa.int64(), pa.int64()], returns=_longs)
def labels_of_slice(
    row_starts: Ragged,
    run_starts: Ragged,
    run_labels: Ragged,
    plane_labels: Ragged,
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
    planes = Planes.of(row_starts, run_starts, run_labels, plane_labels)
    is_coronal, is_whole = plane_name == "coronal", plane_name == "sagittal"
    lengths = np.where(is_whole, planes.n_rows * n_ap, np.where(is_coronal, planes.n_rows, n_ap))
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    values = np.empty(offsets[-1], np.int64)
    which = np.repeat(np.arange(len(lengths)), np.where(is_whole, 0, lengths))
    place = np.arange(len(values))[~np.repeat(is_whole, lengths)]
    along, across = place - offsets[which], slice_index[which]
    dv, ap = np.where(is_coronal[which], along, across), np.where(is_coronal[which], across, along)
    values[place] = planes.find(which, dv, ap)
    for i in np.flatnonzero(is_whole):
        values[offsets[i] : offsets[i + 1]] = planes.plane(int(i), int(n_ap[i])).ravel()
    return Ragged(values, offsets)


@udf(args=[pa.list_(_longs)], returns=_longs)
def columns_as_rows(columns: Ragged) -> Ragged:
    """An image given column by column, row by row.

    columns : ragged lists of columns of equal length, one image a row
    returns : ragged int64
    """
    images = []
    for i in range(len(columns)):
        inner: Ragged = columns.values  # type: ignore[assignment]  # a list of lists comes as Ragged of Ragged
        first, last = columns.offsets[i], columns.offsets[i + 1]
        values = inner.values[inner.offsets[first] : inner.offsets[last]]
        images.append(values.reshape(last - first, -1).T.ravel() if last > first else values)
    return Ragged.of(images, np.int64)


@udf(args=[_blob, _blob, _blob, _blob, pa.int64(), _longs, _longs, _longs, _longs, pa.string()], returns=_blob)
def plane_voxels(
    row_starts: Ragged,
    run_starts: Ragged,
    run_labels: Ragged,
    plane_labels: Ragged,
    n_ap: np.ndarray,
    dv_at: Ragged,
    ap_at: Ragged,
    old_labels: Ragged,
    new_labels: Ragged,
    dtype: np.ndarray,
) -> Ragged:
    """Voxels of planes as the bytes of a file, ap fastest: all or some of them, relabelled or not.

    n_ap : voxels along ap
    dv_at, ap_at : ragged, indices to take; empty takes all
    old_labels, new_labels : ragged, what becomes of labels; others become 0; empty keeps them
    dtype : type of a voxel, as numpy names it
    returns : ragged bytes, one plane a row
    """
    planes = Planes.of(row_starts, run_starts, run_labels, plane_labels)
    rows = []
    for i in range(len(row_starts)):
        voxels = planes.plane(i, int(n_ap[i]))
        if len(dv_at[i]):
            voxels = voxels[dv_at[i]]
        if len(ap_at[i]):
            voxels = voxels[:, ap_at[i]]
        if len(old_labels[i]):
            order = np.argsort(old_labels[i])
            known, new = old_labels[i][order], new_labels[i][order]
            place = np.searchsorted(known, voxels).clip(max=len(known) - 1)
            voxels = np.where(known[place] == voxels, new[place], 0)
        rows.append(np.ascontiguousarray(voxels, np.dtype(dtype[i]).newbyteorder("<")).view(np.uint8).ravel())
    return Ragged.of(rows, np.uint8)
