"""Labels of an annotation, looked up in packed sagittal planes (``ccf.annotation_planes``).

A plane is four byte strings: where the runs of each row (a dv index) begin, the first ap index of each run, its label as
a place in the plane's list of labels, and that list. A look-up is a binary search within a row, done for all points of
all planes at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from .registry import Held, Ragged, udf

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

    @property
    def nbytes(self) -> int:
        """Memory that they take."""
        return sum(one.nbytes for one in (self.starts, self.first, self.labels, self.known))

    def rows_of(self, dv: int, n_ap: int) -> np.ndarray:
        """The row at a dv index of every plane, ``[ml, ap]``."""
        begin, end = self.starts[self.rows + dv], self.starts[self.rows + dv + 1]
        counts = end - begin
        plane = np.repeat(np.arange(len(counts)), counts)
        run = np.arange(counts.sum()) + np.repeat(begin - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
        at = plane * n_ap + self.first[run]
        labels = self.known[self.bases[plane] + self.labels[run]]
        return np.repeat(labels.astype(np.int64), np.diff(at, append=len(counts) * n_ap)).reshape(-1, n_ap)

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


PLANES = Held(
    "ccf.annotation_planes",
    ("ml_index", "row_starts", "run_starts", "run_labels", "plane_labels"),
    lambda ml_index, *packed: Planes.of(*packed),  # a volume has a plane for every ml index, and they come in order
)
LookUp = Callable[[int], Planes]


def _volumes(held: LookUp, volume_id: np.ndarray) -> Iterator[tuple[Planes | None, np.ndarray]]:
    """The planes of each volume asked for, None for one that there is not, and which rows ask for it."""
    for one in np.unique(volume_id):
        try:
            yield held(int(one)), np.flatnonzero(volume_id == one)
        except LookupError:
            yield None, np.flatnonzero(volume_id == one)


@udf(
    args=[pa.int64(), _longs, pa.list_(pa.float64()), pa.float64(), pa.float64(), pa.float64()],
    returns=pa.struct([("label", pa.int64()), ("hemisphere_id", pa.int32())]),
    held=PLANES,
)
def voxel_at(
    held: LookUp,
    volume_id: np.ndarray,
    shape: Ragged,
    spacing_um: Ragged,
    ap_um: np.ndarray,
    dv_um: np.ndarray,
    ml_um: np.ndarray,
) -> dict[str, np.ma.MaskedArray]:
    """Label of the voxel that a position lies in, 0 for background, and its hemisphere; NULL outside of the volume.

    The index is floor(position / edge) (RSP-12); left is below half the voxels along ml, half to even (RSP-13).

    volume_id : volume of labels; shape : ragged, its voxels along ap, dv, ml; spacing_um : ragged, edges of a voxel
    ap_um, dv_um, ml_um : position (um)
    returns : label, and hemisphere_id 1 left, 2 right
    """
    sizes, edges = shape.values.reshape(-1, 3), spacing_um.values.reshape(-1, 3)
    with np.errstate(invalid="ignore"):
        index = np.floor(np.stack([ap_um, dv_um, ml_um], axis=1) / edges)
        is_inside = ((index >= 0) & (index < sizes)).all(axis=1)  # NaN is nowhere
    ap, dv, ml = np.where(is_inside[:, None], index, 0).astype(np.int64).T
    labels = np.zeros(len(ap), np.int64)
    for planes, which in _volumes(held, volume_id):
        if planes is None:
            is_inside[which] = False
        else:
            labels[which] = planes.find(ml[which], dv[which], ap[which])
    sides = np.where(ml < np.rint(sizes[:, 2] / 2), 1, 2).astype(np.int32)
    return {"label": np.ma.array(labels, mask=~is_inside), "hemisphere_id": np.ma.array(sides, mask=~is_inside)}


@udf(args=[pa.int64(), _longs, pa.string(), pa.int64()], returns=_longs, held=PLANES)
def slice_labels(
    held: LookUp, volume_id: np.ndarray, shape: Ragged, plane_name: np.ndarray, slice_index: np.ndarray
) -> Ragged:
    """Labels of a slice of a volume, row by row, 0 for background; empty where there is no such volume.

    volume_id : volume of labels; shape : ragged, its voxels along ap, dv, ml
    plane_name : coronal (rows along dv, columns along ml), horizontal (ap, ml) or sagittal (dv, ap)
    slice_index : index of the slice along the axis it cuts
    returns : ragged int64
    """
    images = [np.empty(0, np.int64)] * len(volume_id)
    for planes, which in _volumes(held, volume_id):
        if planes is None:
            continue
        for i in which:
            (n_ap, n_dv, n_ml), at = shape[i], int(slice_index[i])
            if plane_name[i] == "sagittal":
                images[i] = planes.plane(at, int(n_ap)).ravel()
            elif plane_name[i] == "coronal":
                ml, dv = (one.ravel() for one in np.meshgrid(np.arange(n_ml), np.arange(n_dv)))
                images[i] = planes.find(ml, dv, np.broadcast_to(at, ml.shape))
            else:
                images[i] = planes.rows_of(at, int(n_ap)).T.ravel()
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
