"""Running wheel, eye tracking and gaze of an Allen session, in both layouts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from ..lake.errors import SourceError
from ..lake.tables.behavior import EYE_TRACKING, GAZE_MAPPING, RUNNING_SPEED, RUNNING_WHEEL
from .contract import Report, Rows
from .ecephys_recording import EYE, RIG, Recording, rig_equipment, salvaged
from .nwb_columns import real_column, reals

RUNNING = "/processing/running"
WHEEL = {
    "rotation_deg": "/acquisition/raw_running_wheel_rotation",
    "signal_voltage": "/acquisition/running_wheel_signal_voltage",
    "supply_voltage": "/acquisition/running_wheel_supply_voltage",
}
ELLIPSES = {"corneal_reflection": "cr", "pupil": "pupil", "eye": "eye"}
ELLIPSE_COLUMNS = ("center_x", "center_y", "height", "width", "phi")
GAZE_KINDS = ("raw", "filtered")
GAZE_SERIES = ("eye_area", "pupil_area", "screen_coordinates", "screen_coordinates_spherical")
RIG_VECTORS = {
    "monitor_position": "mm", "camera_position": "mm", "led_position": "mm",
    "monitor_rotation": "deg", "camera_rotation": "deg",
}  # fmt: skip


def running_objects(recording: Recording) -> list[str]:
    """Paths of the running data that are there."""
    return [p for p in (f"{RUNNING}/running_speed", *WHEEL.values()) if recording.nwb.has(p)]


def eye_objects(recording: Recording) -> list[str]:
    """Paths of the eye and gaze data that are there."""
    tables = [f"{EYE}/{short}_ellipse_fits" for short in ELLIPSES.values()]
    series = [f"/processing/{kind}_gaze_mapping/{name}" for kind in GAZE_KINDS for name in GAZE_SERIES]
    return [p for p in (*tables, *series) if recording.nwb.has(p)]


def ellipse_columns() -> list[str]:
    """Paths of the columns that behavior.eye_tracking holds."""
    names = (*ELLIPSE_COLUMNS, "timestamps")
    return [f"{EYE}/{short}_ellipse_fits/{name}" for short in ELLIPSES.values() for name in names]


def running_rows(recording: Recording, report: Report) -> Iterator[Rows]:
    """``behavior.running_speed`` and ``behavior.running_wheel``."""
    yield from salvaged(report, _speed(recording))
    yield from salvaged(report, _wheel(recording))


def eye_rows(recording: Recording, report: Report) -> Iterator[Rows]:
    """``behavior.eye_tracking``, ``gaze_mapping`` and ``eye_tracking_rigs``."""
    yield from salvaged(report, _ellipses(recording))
    yield from salvaged(report, _gaze(recording))
    yield from salvaged(report, _rig(recording))


def _speed(recording: Recording) -> Iterator[Rows]:
    nwb, path = recording.nwb, f"{RUNNING}/running_speed"
    if not nwb.has(f"{path}/data"):
        return
    speed = reals(nwb, f"{path}/data")
    if nwb.dataset(f"{path}/timestamps").ndim == 2:  # v1: start and end of every interval
        limits = reals(nwb, f"{path}/timestamps", 2)
        if 2 not in limits.shape:
            raise nwb.error(f"{path}/timestamps", f"should be starts and ends, and has the shape {limits.shape}")
        start, stop = limits if limits.shape[0] == 2 else limits.T
    else:
        start, stop = (
            reals(nwb, f"{path}/timestamps"),
            _optional(recording, f"{RUNNING}/running_speed_end_times/timestamps"),
        )
    rotation = _optional(recording, f"{RUNNING}/running_wheel_rotation/data")
    columns = {"timestamp": start, "stop_time": stop, "speed": speed, "net_rotation": rotation}
    yield _sorted(recording, RUNNING_SPEED.name, path, columns)


def _wheel(recording: Recording) -> Iterator[Rows]:
    nwb, path = recording.nwb, WHEEL["rotation_deg"]
    if not nwb.has(f"{path}/data"):
        return
    columns = {name: _optional(recording, f"{where}/data") for name, where in WHEEL.items()}
    columns["timestamp"] = reals(nwb, f"{path}/timestamps")
    yield _sorted(recording, RUNNING_WHEEL.name, path, columns)


def _ellipses(recording: Recording) -> Iterator[Rows]:
    nwb = recording.nwb
    columns: dict[str, np.ndarray | None] = {}
    for name, short in ELLIPSES.items():
        path = f"{EYE}/{short}_ellipse_fits"
        if nwb.has(path):
            table = nwb.table(path)
            columns |= {f"{name}_{c}": real_column(table, c) for c in ELLIPSE_COLUMNS if c in table.columns}
            if "timestamps" in table.columns:
                columns["timestamp"] = real_column(table, "timestamps")
    if columns:
        yield _sorted(recording, EYE_TRACKING.name, EYE, columns)


def _gaze(recording: Recording) -> Iterator[Rows]:
    columns: dict[str, np.ndarray | None] = {}
    for kind in GAZE_KINDS:
        module = f"/processing/{kind}_gaze_mapping"
        for name in GAZE_SERIES:
            path = f"{module}/{name}"
            on_screen = name.startswith("screen")
            data = _optional(recording, f"{path}/data", 2 if on_screen else 1)
            if data is None:
                continue
            columns.setdefault("timestamp", reals(recording.nwb, f"{path}/timestamps"))
            if not on_screen:
                columns[f"{kind}_{name}"] = data
            else:
                unit = "deg" if name.endswith("spherical") else "cm"
                # OD-10: x is the first column, although the reference reads it as y
                if data.shape[1] != 2:
                    raise recording.nwb.error(f"{path}/data", f"has {data.shape[1]} columns, not x and y")
                columns[f"{kind}_screen_x_{unit}"], columns[f"{kind}_screen_y_{unit}"] = data[:, 0], data[:, 1]
    if columns:
        yield _sorted(recording, GAZE_MAPPING.name, "/processing/raw_gaze_mapping", columns)


def _rig(recording: Recording) -> Iterator[Rows]:
    nwb = recording.nwb
    row: dict[str, Any] = {}
    if nwb.has(RIG):
        vectors = {name: _optional(recording, f"{RIG}/{name}") for name in RIG_VECTORS}
        row = {name: None if v is None else v.tolist() for name, v in vectors.items()}
    elif nwb.has(f"{EYE}/rig_geometry_data"):  # v1: a table with rows x, y, z
        table = nwb.table(f"{EYE}/rig_geometry_data")
        for name, unit in RIG_VECTORS.items():
            spelled = next((c for c in (f"{name}_{unit}", name) if c in table.columns), None)
            row[name] = None if spelled is None else real_column(table, spelled).tolist()
    if row:
        row["equipment"] = rig_equipment(nwb)
        columns = {name: [value] for name, value in row.items()}
        yield Rows("behavior.eye_tracking_rigs", {"session_id": [recording.session_id], **columns})


def _optional(recording: Recording, path: str, ndim: int = 1) -> np.ndarray | None:
    return reals(recording.nwb, path, ndim) if recording.nwb.has(path) else None


def _sorted(recording: Recording, table: str, where: str, columns: dict[str, np.ndarray | None]) -> Rows:
    """Equally long columns in the order of time, NaN as NULL. Raises SourceError where lengths differ."""
    given = {name: values for name, values in columns.items() if values is not None}
    lengths = {len(values) for values in given.values()}
    if "timestamp" not in given or len(lengths) != 1:
        reason = f"has columns of different lengths: {sorted(lengths)}" if len(lengths) > 1 else "has no times"
        raise SourceError(recording.nwb.source, where, reason)
    times = given["timestamp"]
    if np.isnan(times).any():
        raise SourceError(recording.nwb.source, where, f"has {int(np.isnan(times).sum())} times that are no number")
    if (times[1:] < times[:-1]).any():
        order = np.argsort(times, kind="stable")
        given = {name: values[order] for name, values in given.items()}
    arrays = {name: pa.array(values, from_pandas=name != "timestamp") for name, values in given.items()}
    return Rows(table, pa.table({"session_id": np.full(len(times), recording.session_id, np.int64), **arrays}))
