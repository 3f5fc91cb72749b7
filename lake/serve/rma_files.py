"""Files that the API gives and a lake makes of its tables: volumes as NRRD, meshes as OBJ (spec: api E08, E22).

A file that was fetched from the same address is sent as it came; one that was not is made, voxel by voxel the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Any

from ..errors import AbsentError, QueryError, UnknownError
from ..rma.formats import IN_MEMORY, Written
from ..volume_output import write_nrrd

if TYPE_CHECKING:
    import pyarrow as pa

    from ..facade import Lake

Writer = Callable[["pa.RecordBatchReader", IO[bytes], int], None]


@dataclass(frozen=True)
class MadeFile:
    """``pattern`` of an address; the question whose answer ``writer`` makes the file of. Its groups are parameters."""

    pattern: re.Pattern[str]
    query: str
    writer: Writer
    numbers: tuple[str, ...] = ()


def write_obj(batches: pa.RecordBatchReader, stream: IO[bytes], _rows: int) -> None:
    """A Wavefront OBJ file of one mesh: vertices, normals, and faces that name both, counted from 1."""
    found = [row for batch in batches for row in batch.to_pylist()]
    if not found:
        raise AbsentError("the mesh of this structure is not in this lake: `brainlake fetch meshes ID` brings it")
    mesh = found[0]
    for prefix, kind in (("v", "vertex"), ("vn", "normal")):
        unit = "_um" if kind == "vertex" else ""
        axes = zip(*(mesh[f"{kind}_{axis}{unit}"] for axis in ("ap", "dv", "ml")), strict=True)
        stream.writelines(f"{prefix} {x!r} {y!r} {z!r}\n".encode() for x, y, z in axes)
    corners = [f"{v + 1}//{n + 1}" for v, n in zip(mesh["face_vertices"], mesh["face_normals"], strict=True)]
    stream.writelines(f"f {a} {b} {c}\n".encode() for a, b, c in zip(*(corners[i::3] for i in range(3)), strict=True))


_ARCHIVE = "/informatics-archive/[^/]+/mouse_ccf"
_ID, _UM = r"\d{1,18}", r"\d{1,4}"

MADE: tuple[MadeFile, ...] = (
    MadeFile(
        re.compile(rf"/grid_data/download_file/(?P<id>{_ID})\?image=(?P<measure>\w+)(?:&resolution=(?P<um>{_UM}))?"),
        "from connectivity.grid_volume($id, of_measure := $measure, at_grid_um := coalesce($um, 100))",
        write_nrrd,
        ("id", "um"),
    ),
    MadeFile(
        re.compile(rf"{_ARCHIVE}/annotation/(?P<version>\w+)/annotation_(?P<um>{_UM})\.nrrd"),
        "from ccf.annotation_volume(at_resolution_um := $um, of_version := $version)",
        write_nrrd,
        ("um",),
    ),
    MadeFile(
        re.compile(rf"{_ARCHIVE}/average_template/average_template_(?P<um>{_UM})\.nrrd"),
        "from ccf.grey_volume(of_kind := 'template', at_resolution_um := $um)",
        write_nrrd,
        ("um",),
    ),
    MadeFile(
        re.compile(rf"{_ARCHIVE}/ara_nissl/ara_nissl_(?P<um>{_UM})\.nrrd"),
        "from ccf.grey_volume(of_kind := 'nissl', at_resolution_um := $um)",
        write_nrrd,
        ("um",),
    ),
    MadeFile(
        re.compile(
            rf"{_ARCHIVE}/annotation/(?P<version>\w+)/structure_masks/structure_masks_(?P<um>{_UM})/"
            rf"structure_(?P<id>{_ID})\.nrrd"
        ),
        "from ccf.mask_volume([$id::bigint::varchar], at_resolution_um := $um, of_version := $version)",
        write_nrrd,
        ("id", "um"),
    ),
    MadeFile(
        re.compile(rf"{_ARCHIVE}/annotation/\w+/structure_meshes/(?P<id>{_ID})\.obj"),
        """
        select m.vertex_ap_um, m.vertex_dv_um, m.vertex_ml_um, m.normal_ap, m.normal_dv, m.normal_ml,
            m.face_vertices, m.face_normals
        from ccf.structure_meshes as m where m.structure_id = $id
        """,
        write_obj,
        ("id",),
    ),
)


def made_file(lake: Lake, address: str) -> Written:
    """The file that an address of the API names, made of the lake's tables.

    Raises AbsentError where the lake cannot make it, saying why.
    """
    for made in MADE:
        if match := made.pattern.fullmatch(address):
            params: Mapping[str, Any] = {
                name: int(text) if text is not None and name in made.numbers else text
                for name, text in match.groupdict().items()
            }
            return _written(lake, made, params)
    raise AbsentError(f"{address[:200]} is neither a query that a lake answers nor a file that was fetched into it")


def _written(lake: Lake, made: MadeFile, params: Mapping[str, Any]) -> Written:
    body = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 (it is handed on)
    try:
        made.writer(lake.sql(made.query, params).reader(), body, 0)
    except (QueryError, UnknownError) as error:
        body.close()
        raise AbsentError(str(error)) from None
    except BaseException:
        body.close()
        raise
    return Written(b"", body, b"")
