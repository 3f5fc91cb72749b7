"""Files of one cell out of a lake: its recording, its reconstruction and the markers of that, as the warehouse has them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .nwb1_output import write_nwb1

if TYPE_CHECKING:
    from .session import Session


def has_recording(session: Session, specimen_id: int) -> bool:
    """Sweeps of a cell are in the lake."""
    known = f"select count(*) > 0 as it_is from icephys.nwb_sweeps where specimen_id = {specimen_id}"
    return bool(session.sql(known).one().it_is)


def write_recording(session: Session, specimen_id: int, path: Path) -> None:
    """Every sweep of a cell in an NWB 1 file."""
    with path.open("w+b") as stream:
        write_nwb1(session.sql(f"from icephys.sweeps_to_export({specimen_id})").reader(), stream, 0)


def reconstruction_text(session: Session, specimen_id: int, name: str | None = None) -> str | None:
    """SWC of a cell's reconstruction: the one whose file has a name, else its only one; None where there is none."""
    found = session.sql(
        f"""
        select morphology.to_swc(l.nodes) as swc, r.source_name = $name as is_named
        from morphology.node_lists as l
        join morphology.reconstructions as r on r.morphology_id = l.morphology_id
        where l.specimen_id = {specimen_id} and l.kind = 'raw'""",
        {"name": name or ""},
    ).arrow()
    rows = sorted(found.to_pylist(), key=lambda row: not row["is_named"])
    return rows[0]["swc"] if rows and (rows[0]["is_named"] or len(rows) == 1) else None


def marker_text(session: Session, specimen_id: int) -> str | None:
    """Marker file of a cell's reconstruction; None where there is none."""
    found = session.sql(f"""
        select m.raw_x, m.raw_y, m.raw_z, m.radius, m.marker_shape, m.marker_code, m.comment, t.marker_rgb
        from morphology.markers as m
        join morphology.file_markers as t on t.marker_file_id = m.marker_file_id and t.marker_index = m.marker_index
        where m.specimen_id = {specimen_id}
        order by m.marker_file_id, m.marker_index""").arrow()  # fmt: skip
    return "".join(_marker_lines(found.to_pylist())) if found.num_rows else None


def _marker_lines(rows: list[dict[str, Any]]) -> Iterator[str]:
    yield "##x,y,z,radius,shape,name,comment, color_r,color_g,color_b\n"
    for row in rows:
        *place, rgb = ("" if value is None else value for value in row.values())
        yield ",".join(map(str, (*place, *(rgb or ("", "", ""))))) + "\n"
