"""What the animal did: running, eye and gaze; shared by every domain that records it."""

from __future__ import annotations

from ..spec import Column, TableSpec, float64, int64, list_, text

SESSION = Column(1, "session_id", int64, "session")
TIMESTAMP = Column(2, "timestamp", float64, "time on the session's master clock", "s")


def _ellipse(first_id: int, name: str) -> tuple[Column, ...]:
    return (
        Column(first_id, f"{name}_center_x", float64, f"centre of the {name} ellipse", "px", True),
        Column(first_id + 1, f"{name}_center_y", float64, f"centre of the {name} ellipse", "px", True),
        Column(first_id + 2, f"{name}_height", float64, f"half axis of the {name} ellipse (OD-34)", "px", True),
        Column(first_id + 3, f"{name}_width", float64, f"half axis of the {name} ellipse (OD-34)", "px", True),
        Column(first_id + 4, f"{name}_phi", float64, f"rotation of the {name} ellipse", "rad", True),
    )


def _gaze(first_id: int, kind: str) -> tuple[Column, ...]:
    return (
        Column(first_id, f"{kind}_eye_area", float64, f"area of the eye, {kind} (OD-33)", "cm2", True),
        Column(first_id + 1, f"{kind}_pupil_area", float64, f"area of the pupil, {kind} (OD-33)", "cm2", True),
        Column(first_id + 2, f"{kind}_screen_x_cm", float64, f"gaze on the screen, {kind}; true x (OD-10)", "cm", True),
        Column(first_id + 3, f"{kind}_screen_y_cm", float64, f"gaze on the screen, {kind}; true y (OD-10)", "cm", True),
        Column(first_id + 4, f"{kind}_screen_x_deg", float64, f"gaze angle, {kind}; true x (OD-10)", "deg", True),
        Column(first_id + 5, f"{kind}_screen_y_deg", float64, f"gaze angle, {kind}; true y (OD-10)", "deg", True),
    )


RUNNING_SPEED = TableSpec(
    "behavior.running_speed",
    grain="one interval of running speed",
    part="running",
    columns=(
        SESSION,
        Column(2, "timestamp", float64, "start of the interval", "s"),
        Column(3, "stop_time", float64, "end of the interval", "s", True),
        Column(4, "speed", float64, "running speed, negative backwards", "cm/s", True),
        Column(5, "net_rotation", float64, "rotation of the wheel over the interval", "rad", True),
    ),
    partition="session_id",
    sort=("timestamp",),
)

RUNNING_WHEEL = TableSpec(
    "behavior.running_wheel",
    grain="one frame of the running wheel's raw signals",
    part="running",
    columns=(
        SESSION,
        TIMESTAMP,
        Column(3, "rotation_deg", float64, "rotation since the previous frame (OD-44: files say radians)", "deg", True),
        Column(4, "signal_voltage", float64, "voltage of the wheel's encoder", "V", True),
        Column(5, "supply_voltage", float64, "supply voltage of the encoder", "V", True),
    ),
    partition="session_id",
    sort=("timestamp",),
)

EYE_TRACKING = TableSpec(
    "behavior.eye_tracking",
    grain="one frame of the eye camera: fitted ellipses",
    part="eye",
    columns=(SESSION, TIMESTAMP, *_ellipse(10, "corneal_reflection"), *_ellipse(20, "pupil"), *_ellipse(30, "eye")),
    partition="session_id",
    sort=("timestamp",),
)

GAZE_MAPPING = TableSpec(
    "behavior.gaze_mapping",
    grain="one frame of the eye camera: areas and gaze on the screen",
    part="eye",
    columns=(SESSION, TIMESTAMP, *_gaze(10, "raw"), *_gaze(20, "filtered")),
    partition="session_id",
    sort=("timestamp",),
)

_VECTOR = list_(float64)
EYE_TRACKING_RIGS = TableSpec(
    "behavior.eye_tracking_rigs",
    grain="one session's eye tracking rig geometry",
    part="eye",
    columns=(
        SESSION,
        Column(2, "equipment", text, "rig", None, True),
        Column(3, "monitor_position", _VECTOR, "x, y, z", "mm", True),
        Column(4, "camera_position", _VECTOR, "x, y, z", "mm", True),
        Column(5, "led_position", _VECTOR, "x, y, z", "mm", True),
        Column(6, "monitor_rotation", _VECTOR, "about x, y, z", "deg", True),
        Column(7, "camera_rotation", _VECTOR, "about x, y, z", "deg", True),
    ),
    key=("session_id",),
)

SPECS = (RUNNING_SPEED, RUNNING_WHEEL, EYE_TRACKING, GAZE_MAPPING, EYE_TRACKING_RIGS)
