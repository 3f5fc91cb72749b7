"""Labels of an annotation, looked up in packed sagittal planes (``ccf.annotation_planes``).

A plane is four byte strings: where the runs of each row (a dv index) begin, the first ap index of each run, its label as
a place in the plane's list of labels, and that list. A look-up is a binary search within a row, done for all points of
all planes at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa

from .compiling import compiled, when_compiling
from .registry import Held, Ragged, udf

_blob, _longs = pa.binary(), pa.list_(pa.int64())
_NONE = np.uint16(65535)  # after every ap index

MARKS = 32  # about so many a row
WORTH_MARKING = 20_000  # look-ups, from which on marks have cost less than they save
WORTH_A_LOOP = 2_000_000  # look-ups, from which on starting numba has cost less than it saves


@dataclass(frozen=True)
class Planes:
    """Packed planes side by side. Row d of plane i has its runs at ``starts[rows[i] + d]`` of ``first`` and ``labels``.

    first : ap index at which each run begins, 0 for a row's first
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
    _found: list[int] = field(default_factory=lambda: [0])

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

    def look_up(self, n_ap: int, ap: np.ndarray, dv: np.ndarray, ml: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Label and hemisphere (1 left, 2 right) of the voxel that a position lies in; 0 and 0 outside of the volume.

        n_ap : voxels along ap; ap, dv, ml : positions, in edges of a voxel
        """
        sizes = n_ap, int(self.n_rows[0]), len(self.rows)
        middle = int(np.rint(sizes[2] / 2))
        if loop := compiled(_look_up) if self._found[0] >= WORTH_A_LOOP else when_compiling(_look_up):
            found = np.zeros(len(ap), np.int64), np.zeros(len(ap), np.int32)
            packed = self.rows, self.starts, self.first, self.labels, self.bases, self.known
            loop(*map(_read_only, (*packed, ap, dv, ml)), *sizes, middle, *found)
            return found
        position = ap, dv, ml
        is_inside = np.logical_and.reduce([(at >= 0) & (at < n) for at, n in zip(position, sizes, strict=True)])
        ap_index, dv_index, ml_index = (np.where(is_inside, at, 0).astype(np.int64) for at in position)  # NaN: nowhere
        labels = self.find(ml_index, dv_index, ap_index) * is_inside
        return labels, np.where(ml_index < middle, 1, 2).astype(np.int32) * is_inside

    def find(self, plane: np.ndarray, dv: np.ndarray, ap: np.ndarray) -> np.ndarray:
        """Label at each point; all must lie within the volume.

        plane : which of these planes; dv, ap : indices
        """
        row = self.rows[plane] + dv
        run = self._by_marks(row, ap) if self._are_marks_worth(len(row)) else self._by_halves(row, ap)
        return self.known[self.bases[plane] + self.labels[run]].astype(np.int64)

    def at_ap(self, ap: int) -> np.ndarray:
        """Labels at an ap index of every row of every plane, one after the other."""
        row = np.delete(np.arange(len(self.starts)), self.rows + self.n_rows)  # where a plane ends, no row begins
        if self._are_marks_worth(len(row)):
            run = self._by_marks(row, np.full(len(row), ap))
        else:
            begun = np.add.reduceat(self.first <= ap, self.starts[row], dtype=np.uint16)  # a row has no more runs
            run = self.starts[row] + begun - 1
        return self.known[np.repeat(self.bases, self.n_rows) + self.labels[run]].astype(np.int64)

    def _are_marks_worth(self, n: int) -> bool:
        """Whether enough was looked up before: they take as long to make as ten slices."""
        self._found[0] += n
        return self._found[0] - n >= WORTH_MARKING

    # The run of a point is the last of its row that begins at or before it; a row's first begins at 0.

    def _by_halves(self, row: np.ndarray, ap: np.ndarray) -> np.ndarray:
        low, high = self.starts[row], self.starts[row + 1]
        while (undecided := high - low > 1).any():
            middle = (low + high) // 2
            is_later = self.first[middle] <= ap
            low = np.where(undecided & is_later, middle, low)
            high = np.where(undecided & ~is_later, middle, high)
        return low

    def _by_marks(self, row: np.ndarray, ap: np.ndarray) -> np.ndarray:
        step, marks = self._marks
        run = self.starts[row] + marks.ravel()[np.minimum(ap // step, len(marks) - 1) * marks.shape[1] + row]
        behind = np.flatnonzero(self._next[run] <= ap)
        while len(behind):  # seldom more than twice, and for fewer points each time
            run[behind] += 1
            behind = behind[self._next[run[behind]] <= ap[behind]]
        return run

    @cached_property
    def _next(self) -> np.ndarray:
        """The ap index at which the next run of the same row begins."""
        after = np.append(self.first[1:], _NONE)
        after[self.starts[self.starts > 0] - 1] = _NONE
        return after

    @cached_property
    def _marks(self) -> tuple[int, np.ndarray]:
        """A step along ap, and ``[multiple, row]`` the run within each row that reaches each of its multiples."""
        step = 1 << max(4, int(self.first.max() // MARKS).bit_length())
        n_marks, n_rows = int(self.first.max()) // step + 1, len(self.starts)
        counts = np.append(np.diff(self.starts), 0)
        reached = (self.first.astype(np.int32) + step - 1) // step
        row = np.repeat(np.arange(n_rows, dtype=np.int32), counts)
        is_marked = reached < n_marks
        at = reached[is_marked].astype(np.int64) * n_rows + row[is_marked]
        begun = np.bincount(at, minlength=n_marks * n_rows).reshape(n_marks, n_rows)
        begun[0] -= 1
        runs = np.cumsum(begun, axis=0, out=begun)
        return step, runs.astype(np.uint8 if counts.max() < 256 else np.uint16)

    @property
    def nbytes(self) -> int:
        """Memory that they take, with what look-ups have added."""
        arrays = [self.starts, self.first, self.labels, self.known]
        arrays += [self._next] if "_next" in self.__dict__ else []
        arrays += [self._marks[1]] if "_marks" in self.__dict__ else []
        return sum(one.nbytes for one in arrays)

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


def _look_up(rows, starts, first, labels, bases, known, ap, dv, ml, n_ap, n_dv, n_ml, middle, label, side):  # type: ignore[no-untyped-def]
    """:meth:`Planes.look_up`, point by point, to be compiled."""
    for p in range(len(ap)):
        if 0 <= ap[p] < n_ap and 0 <= dv[p] < n_dv and 0 <= ml[p] < n_ml:
            at, plane = int(ap[p]), int(ml[p])
            row = rows[plane] + int(dv[p])
            low, high = starts[row], starts[row + 1]
            while high - low > 1:
                between = (low + high) // 2
                if first[between] <= at:
                    low = between
                else:
                    high = between
            label[p] = known[bases[plane] + labels[low]]
            side[p] = 1 if plane < middle else 2


def _read_only(array: np.ndarray) -> np.ndarray:
    """As numba is to see it: it compiles a loop anew for arrays that can be written to, and for such with gaps."""
    fixed = np.ascontiguousarray(array).view()
    fixed.flags.writeable = False
    return fixed


PLANES = Held(
    "ccf.annotation_planes",
    ("ml_index", "row_starts", "run_starts", "run_labels", "plane_labels"),
    lambda ml_index, *packed: Planes.of(*packed),  # a volume has a plane for every ml index, and they come in order
)
LookUp = Callable[[int], Planes]


def _volumes(held: LookUp, volume_id: np.ndarray) -> Iterator[tuple[Planes | None, np.ndarray | slice]]:
    """The planes of each volume asked for, None for one that there is not, and which rows ask for it."""
    is_one = len(volume_id) > 0 and bool((volume_id == volume_id[0]).all())
    for one in volume_id[:1] if is_one else np.unique(volume_id):
        which = slice(None) if is_one else np.flatnonzero(volume_id == one)
        try:
            yield held(int(one)), which
        except LookupError:
            yield None, which


@udf(
    args=[pa.int64(), pa.int64(), pa.float64(), pa.float64(), pa.float64()],
    returns=pa.struct([("label", pa.int64()), ("hemisphere_id", pa.int32())]),
    held=PLANES,
)
def voxel_at(
    held: LookUp, volume_id: np.ndarray, n_ap: np.ndarray, ap: np.ndarray, dv: np.ndarray, ml: np.ndarray
) -> dict[str, np.ndarray]:
    """Label of the voxel that a position lies in, 0 for background, and its hemisphere; 0 and 0 outside of the volume.

    The index is floor(position / edge) (RSP-12); left is below half the voxels along ml, half to even (RSP-13).

    volume_id : volume of labels; n_ap : its voxels along ap
    ap, dv, ml : position, in edges of a voxel
    returns : label, and hemisphere_id 1 left, 2 right
    """
    labels, sides = np.zeros(len(ap), np.int64), np.zeros(len(ap), np.int32)
    for planes, which in _volumes(held, volume_id):
        if planes is None:
            continue
        if len(ap):
            labels[which], sides[which] = planes.look_up(int(n_ap[which][0]), ap[which], dv[which], ml[which])
    return {"label": labels, "hemisphere_id": sides}


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
        for i in np.arange(len(volume_id))[which]:
            (n_ap, n_dv, n_ml), at = shape[i], int(slice_index[i])
            if plane_name[i] == "sagittal":
                images[i] = planes.plane(at, int(n_ap)).ravel()
            elif plane_name[i] == "coronal":
                images[i] = planes.at_ap(at).reshape(n_ml, n_dv).T.ravel()
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
