"""Surfaces of structures: Wavefront OBJ files, vertices in micrometres along ap, dv and ml (spec: connectivity RSP-15).

The grammar is that of the reference's files, ``v x y z``, ``vn x y z``, ``f a//n b//n c//n``; other lines say nothing. An OBJ
file does not name its structure: its name does (``385.obj``, ``structure_385.obj``), or ``--set structure=385``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np

from ..lake.errors import SourceError
from .contract import Identity, Part, Report, Rows, Setting, Source
from .heads import read_head

MAX_BYTES = 512 << 20
_NAME = re.compile(r"(?:structure_)?(\d+)\.obj", re.IGNORECASE)
_AXES = ("ap", "dv", "ml")


class MeshReader:
    """Reader of meshes."""

    name = "ccf_meshes"
    version = "1"
    parts: Sequence[Part] = (Part("meshes", "surfaces of structures"),)
    settings: Sequence[Setting] = (Setting("structure", "id of the structure that a mesh or mask is of"),)

    def sniff(self, source: Source) -> bool:
        if source.path.suffix.lower() != ".obj":
            return False
        head = read_head(source, 1 << 16)
        return b"\0" not in head and any(line.startswith((b"v ", b"vn ")) for line in head.splitlines())

    def identify(self, source: Source) -> Identity:
        structure_id, _ = _structure(source)
        return Identity(f"ccf.mesh/{structure_id}", "mesh", dataset="Allen Mouse Brain Common Coordinate Framework")

    def inspect(self, source: Source, report: Report) -> None:
        report.found("meshes", source.path.stat().st_size)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        if "meshes" not in parts:
            return
        structure_id, told_by = _structure(source)
        vertices, normals, faces = read_obj(source)
        columns = {f"vertex_{axis}_um": [vertices[:, i]] for i, axis in enumerate(_AXES)}
        columns |= {f"normal_{axis}": [normals[:, i]] for i, axis in enumerate(_AXES)}
        columns |= {"face_vertices": [faces[:, :, 0].ravel()], "face_normals": [faces[:, :, 1].ravel()]}
        yield Rows("ccf.structure_meshes", {"structure_id": [structure_id], "told_by": [told_by], **columns})


def _structure(source: Source) -> tuple[int, str]:
    if told := source.setting("structure"):
        if not told.isdigit():
            raise SourceError(source, "setting structure", f"{told!r} is no id of a structure")
        return int(told), "option"
    match = _NAME.fullmatch(source.name)
    if not match:
        raise SourceError(source, None, "nothing tells whose surface it is", "say it: --set structure=385")
    return int(match[1]), "path"


def read_obj(source: Source) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A mesh: vertices and normals as (n, 3) float64, faces as (n, 3, 2) indices of vertex and normal, from 0.

    Raises SourceError naming the line that is not as the grammar has it, or a face that names what there is not.
    """
    vertices: list[list[float]] = []
    normals: list[list[float]] = []
    faces: list[list[list[int]]] = []
    try:
        if source.path.stat().st_size > MAX_BYTES:
            raise SourceError(source, None, f"has over {MAX_BYTES:,} bytes: no structure's surface has so many")
        with source.path.open(encoding="ascii", errors="strict") as file:
            for number, line in enumerate(file, start=1):
                kind, *words = line.split() or [""]
                try:
                    if kind in ("v", "vn"):
                        x, y, z = (float(word) for word in words)
                        (vertices if kind == "v" else normals).append([x, y, z])
                    elif kind == "f":
                        corners = [[int(i) - 1 for i in word.split("//")] for word in words]
                        if [len(corner) for corner in corners] != [2, 2, 2]:
                            raise ValueError("no triangle of vertex//normal")
                        faces.append(corners)
                except ValueError:
                    raise SourceError(
                        source, f"line {number}", f"{line.strip()[:60]!r} is no vertex, normal or face as v//n"
                    ) from None
    except UnicodeDecodeError:
        raise SourceError(source, None, "is no text") from None
    except OSError as error:
        raise SourceError(source, None, f"cannot be read: {error.strerror}") from None
    found = np.array(faces, np.int64).reshape(-1, 3, 2)
    if len(found) and (found.min() < 0 or found[..., 0].max() >= len(vertices) or found[..., 1].max() >= len(normals)):
        raise SourceError(source, "faces", "name a vertex or normal that there is not")
    if not vertices:
        raise SourceError(source, None, "holds no vertex", "get the file again")
    return np.array(vertices), np.array(normals).reshape(-1, 3), found


READER = MeshReader()
