"""Runs of models as the producer's own programs are told of them: a run, its model inside, and files by their folders.

Told as the record of the model that :mod:`.models_records` reads, by the rules of the reference's reader of them: of
reconstructions count those that a person made and none superseded, and a sweep's kind is that of its stimulus.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

MEMBER = "neuronal_model"  # of a run; a model's own record has none
Record = Mapping[str, Any]


def is_run(found: Any) -> bool:
    """Whether a document is a run with its model inside."""
    return isinstance(found, dict) and "storage_directory" in found and isinstance(found.get(MEMBER), dict)


def as_record(run: Record) -> dict[str, Any]:
    """The record of a run's model, with this run. What is wrong in it stays, for the reader of records to tell."""
    model = run[MEMBER]
    template = _changed(model.get("neuronal_model_template"), _with_paths)
    specimen = _changed(model.get("specimen"), _specimen)
    return {
        "specimen_id": _id_of(specimen),
        "neuronal_model_template_id": _id_of(template),
        **model,
        "well_known_files": _each(model.get("well_known_files"), _file),
        "neuronal_model_template": template,
        "specimen": specimen,
        "neuronal_model_runs": [_own_files({k: v for k, v in run.items() if k != MEMBER})],
    }


def _specimen(specimen: Record) -> Record:
    reconstructions = specimen.get("neuron_reconstructions")
    if isinstance(reconstructions, list):
        reconstructions = [one for one in reconstructions if not isinstance(one, dict) or _counts(one)]
    rest = {k: v for k, v in specimen.items() if k != "ephys_roi_result"}
    return {
        **rest,
        "ephys_result": _changed(specimen.get("ephys_roi_result"), _with_paths),
        "neuron_reconstructions": _each(reconstructions, _with_paths),
        "ephys_sweeps": _each(specimen.get("ephys_sweeps"), _sweep),
    }


def _counts(reconstruction: Record) -> bool:
    return reconstruction.get("manual") is True and reconstruction.get("superseded") is False


def _sweep(sweep: Record) -> Record:
    kind: Any = sweep
    for member in ("ephys_stimulus", "ephys_stimulus_type", "name"):
        kind = kind.get(member) if isinstance(kind, dict) else None
    return {**sweep, "stimulus_name": kind}


def _own_files(run: Record) -> Record:
    """Files that a run is to write have no id as yet, so they are none of the warehouse's."""
    files = run.get("well_known_files")
    known = (
        [f for f in files if not isinstance(f, dict) or f.get("id") is not None] if isinstance(files, list) else files
    )
    return _with_paths({**run, "well_known_files": known})


def _with_paths(owner: Record) -> Record:
    return {**owner, "well_known_files": _each(owner.get("well_known_files"), _file)}


def _file(file: Record) -> Record:
    folder, name = file.get("storage_directory"), file.get("filename")
    return (
        {**file, "path": f"{folder.rstrip('/')}/{name}"} if isinstance(folder, str) and isinstance(name, str) else file
    )


def _id_of(given: Any) -> Any:
    return given.get("id") if isinstance(given, dict) else None


def _changed(given: Any, change: Callable[[Record], Record]) -> Any:
    return change(given) if isinstance(given, dict) else given


def _each(given: Any, change: Callable[[Record], Record]) -> Any:
    return [_changed(one, change) for one in given] if isinstance(given, list) else given
