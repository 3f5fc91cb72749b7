"""Volumes of grey values as the lake keeps them: blocks of 16 x 16 x 16 voxels, those of zeros left out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from .contract import Rows
from .volume_files import Volume

EDGE = 16


class Blocks:
    """Turns sagittal planes into rows of ``ccf.volume_blocks``; holds 16 planes at a time. Counts voxels as they pass."""

    def __init__(self, volume_id: int, shape: tuple[int, int, int], n_components: int, dtype: np.dtype) -> None:
        self.volume_id, self.shape, self.n_components = volume_id, shape, n_components
        self.stored_dtype = np.dtype("u1") if dtype.kind == "b" else dtype.newbyteorder("<")
        self.n_nonzero = 0

    def rows(self, planes: Iterable[tuple[int, np.ndarray]]) -> Iterator[Rows]:
        """Rows in the order of the table."""
        n_ap, n_dv, n_ml = self.shape
        room = (EDGE, -(-n_dv // EDGE) * EDGE, -(-n_ap // EDGE) * EDGE, self.n_components)
        slab = np.zeros(room, self.stored_dtype)
        for ml, plane in planes:
            slab[ml % EDGE, :n_dv, :n_ap] = plane.reshape(n_dv, n_ap, self.n_components)
            if ml % EDGE == EDGE - 1 or ml == n_ml - 1:
                slab[ml % EDGE + 1 :] = 0
                yield from self._slab(ml // EDGE, slab)

    def _slab(self, ml_block: int, slab: np.ndarray) -> Iterator[Rows]:
        _, n_dv, n_ap, n_components = slab.shape
        shape = (EDGE, n_dv // EDGE, EDGE, n_ap // EDGE, EDGE, n_components)
        # [ml, dv block, dv, ap block, ap, component] -> [ap block, dv block, component, ap, dv, ml]
        blocks = slab.reshape(shape).transpose(3, 1, 5, 4, 2, 0)
        blocks = np.ascontiguousarray(blocks).reshape(-1, EDGE**3)
        self.n_nonzero += int(np.count_nonzero(blocks))
        kept = np.flatnonzero(blocks.any(axis=1))
        if not len(kept):
            return
        ap_block, dv_block, component = np.unravel_index(kept, (n_ap // EDGE, n_dv // EDGE, n_components))
        values = blocks[kept]
        yield Rows(
            "ccf.volume_blocks",
            {
                "volume_id": self.volume_id,
                "ml_block": np.full(len(kept), ml_block, np.int16),
                "ap_block": ap_block.astype(np.int16),
                "dv_block": dv_block.astype(np.int16),
                "component": component.astype(np.int16),
                "lowest": values.min(axis=1).astype(np.float64),
                "highest": values.max(axis=1).astype(np.float64),
                "voxel_bytes": [block.tobytes() for block in values],
            },
        )


def volume_facts(volume: Volume, volume_id: int, kind: str, told_by: str, **further: Any) -> Rows:
    """The row of ``ccf.volumes`` for a file; ``further`` are what is not in its header."""
    header = volume.header
    spacing = header.along(header.spacing)
    facts = {
        "volume_id": volume_id,
        "kind": kind,
        "told_by": told_by,
        "resolution_um": spacing[0] if len(set(spacing)) == 1 else None,
        "shape": list(header.shape),
        "spacing_um": [float(v) for v in spacing],
        "origin_um": [float(v) for v in header.along(header.origin)],
        "axes_grow_to": "PIR",
        "file_axes": ",".join(map(str, header.axes)),
        "file_format": header.file_format,
        "file_dtype": header.dtype.str,
        "n_components": header.n_components,
        "header": json.dumps(dict(header.fields)),
        "source_name": volume.source.name,
        **further,
    }
    return Rows("ccf.volumes", {name: [value] for name, value in facts.items()})


def grey_rows(
    volume: Volume, volume_id: int, kind: str, told_by: str, planes: Iterable[tuple[int, np.ndarray]], **further: Any
) -> Iterator[Rows]:
    """A volume of grey values: its blocks, then its row of ``ccf.volumes``."""
    blocks = Blocks(volume_id, volume.header.shape, volume.header.n_components, volume.header.dtype)
    yield from blocks.rows(planes)
    stored = {
        "stored_as": "blocks",
        "stored_dtype": blocks.stored_dtype.str.lstrip("<|"),
        "n_nonzero": blocks.n_nonzero,
    }
    yield volume_facts(volume, volume_id, kind, told_by, **stored, **further)
