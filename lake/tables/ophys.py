"""2-photon imaging of the Brain Observatory: what its published files tell beside its recordings (spec: ophys 2.1, 2.3, 2.7)."""

from __future__ import annotations

from ..spec import Column, TableSpec, boolean, float64, int32, int64, list_, text


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

LISTED_CONTAINERS = TableSpec(
    "ophys.listed_containers",
    grain="one experiment container, as a list that the reference gives of them tells it",
    part="containers",
    columns=(
        Column(1, "experiment_container_id", int64, "container"),
        Column(2, "imaging_depth_um", int64, "depth below the pia", "um", True),
        Column(3, "targeted_structure", text, "acronym of the structure that was imaged", None, True),
        Column(4, "cre_line", text, "first driver line of the animal with Cre in its name", None, True),
        Column(5, "reporter_line", text, "first reporter line of the animal", None, True),
        Column(6, "donor_name", text, "name of the animal, as others call it", None, True),
        Column(7, "specimen_name", text, "name of the specimen", None, True),
        Column(8, "tags", list_(text), "conditions that were noted of the animal"),
        Column(9, "is_failed", boolean, "it failed the control of quality", None, True),
        Column(10, "extra", text, "other attributes, a JSON object", None, True),
    ),
    key=("experiment_container_id",),
    sort=("experiment_container_id",),
)

LISTED_EXPERIMENTS = TableSpec(
    "ophys.listed_experiments",
    grain="one experiment, as a list that the reference gives of them tells it",
    part="experiments",
    columns=(
        Column(1, "ophys_experiment_id", int64, "experiment"),
        Column(2, "experiment_container_id", int64, "container", None, True),
        Column(3, "imaging_depth_um", int64, "depth below the pia", "um", True),
        Column(4, "targeted_structure", text, "acronym of the structure that was imaged", None, True),
        Column(5, "cre_line", text, "first driver line of the animal with Cre in its name", None, True),
        Column(6, "reporter_line", text, "first reporter line of the animal", None, True),
        Column(7, "acquisition_age_days", int32, "whole days from the animal's birth to the recording", "d", True),
        Column(8, "session_type", text, "three_session_A, _B, _C or _C2", None, True),
        Column(9, "donor_name", text, "name of the animal, as others call it", None, True),
        Column(10, "specimen_name", text, "name of the specimen", None, True),
        Column(11, "fail_eye_tracking", boolean, "no eye tracking is published for its session", None, True),
        Column(12, "extra", text, "other attributes, a JSON object", None, True),
    ),
    key=("ophys_experiment_id",),
    sort=("ophys_experiment_id",),
)

SPECS = (EVENT_TRAINS, CELL_MAPPINGS, EXPERIMENT_SESSIONS, LISTED_CONTAINERS, LISTED_EXPERIMENTS)
