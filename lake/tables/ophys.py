"""2-photon imaging of the Brain Observatory: what its published files tell beside its recordings (spec: ophys 2.3, 2.7)."""

from __future__ import annotations

from ..spec import Column, TableSpec, boolean, float64, int32, int64, list_


def _in_session(number: int, letter: str) -> Column:
    name = f"session_{letter.lower()}_cell_specimen_id"
    return Column(number, name, int64, f"the cell as it is called now, in session {letter}", None, True)


EVENT_TRAINS = TableSpec(
    "ophys.event_trains",
    grain="one cell's events in one experiment",
    part="events",
    columns=(
        Column(1, "ophys_experiment_id", int64, "experiment"),
        Column(2, "cell_index", int32, "its place among the cells of the experiment's recording, from 0"),
        Column(3, "n_frames", int32, "frames of the recording"),
        Column(4, "is_missing", boolean, "its trace had gaps, so that no events were found in it"),
        Column(5, "event_frames", list_(int32), "frames with an event, from 0"),
        Column(6, "event_magnitudes", list_(float64), "how large each is, as a fraction of dF/F"),
    ),
    partition="ophys_experiment_id",
    sort=("cell_index",),
)

CELL_MAPPINGS = TableSpec(
    "ophys.cell_mappings",
    grain="one cell under the id that it had before cells were matched anew",
    part="cell_mappings",
    columns=(
        Column(1, "old_cell_specimen_id", int64, "id that it had"),
        *(_in_session(number, letter) for number, letter in enumerate("ABC", start=2)),
    ),
    sort=("old_cell_specimen_id",),
)

EXPERIMENT_SESSIONS = TableSpec(
    "ophys.experiment_sessions",
    grain="one experiment and the session it was recorded in",
    part="experiment_sessions",
    columns=(
        Column(1, "ophys_experiment_id", int64, "experiment"),
        Column(2, "ophys_session_id", int64, "session, by which eye tracking is published"),
    ),
    key=("ophys_experiment_id",),
    sort=("ophys_experiment_id",),
)

SPECS = (EVENT_TRAINS, CELL_MAPPINGS, EXPERIMENT_SESSIONS)
