"""In which drawn layer a node lies (spec: cell_types MO-19)."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from .morphology_trees import NODES, Forest
from .registry import Ragged, udf

_DRAWN = pa.list_(pa.list_(pa.float64()))


def is_inside(x: np.ndarray, y: np.ndarray, drawn_x: np.ndarray, drawn_y: np.ndarray) -> np.ndarray:
    """Whether points lie in a polygon, by the even-odd rule (Shimrat 1962, Algorithm 112).

    A point on an edge that two polygons share lies in one of them only.

    x, y : (n,) points; drawn_x, drawn_y : (m,) corners in their order, the last joined to the first
    returns : (n,) bool
    """
    inside = np.zeros(len(x), bool)
    for ax, ay, bx, by in zip(drawn_x, drawn_y, np.roll(drawn_x, 1), np.roll(drawn_y, 1), strict=True):
        if ay != by:
            crosses = (ay > y) != (by > y)
            inside ^= crosses & (x < (bx - ax) * (y - ay) / (by - ay) + ax)
    return inside


@udf(args=[NODES, pa.list_(pa.string()), _DRAWN, _DRAWN], returns=pa.list_(pa.string()))
def layers_of_nodes(nodes: Ragged, layers: Ragged, drawn_x: Ragged, drawn_y: Ragged) -> Ragged:
    """The first of the drawn layers that each node lies in, seen along z; NULL outside of all.

    nodes : ragged node structs, one row a reconstruction
    layers : ragged, names of the layers drawn for it; drawn_x, drawn_y : ragged of their corners, in um as the nodes
    returns : ragged of names, one a node
    Raises ValueError for a layer whose corners lack an x or y.
    """
    forest = Forest.of(nodes)
    found = np.full(len(forest.parent), None, object)
    for row, (start, stop) in enumerate(zip(forest.offsets[:-1].tolist(), forest.offsets[1:].tolist(), strict=True)):
        x, y = forest.xyz[start:stop, 0], forest.xyz[start:stop, 1]
        of_row = found[start:stop]
        for drawing in range(int(layers.offsets[row]), int(layers.offsets[row + 1])):
            name, corners_x, corners_y = (column.values[drawing] for column in (layers, drawn_x, drawn_y))
            if len(corners_x) != len(corners_y):
                raise ValueError(f"layer {name} has {len(corners_x)} x and {len(corners_y)} y of its corners")
            of_row[is_inside(x, y, corners_x, corners_y) & (of_row == None)] = name  # noqa: E711
    return Ragged(found, forest.offsets)
