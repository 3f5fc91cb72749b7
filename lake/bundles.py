"""The folder that a compartmental model is run from, laid out as a download of it (spec: cell_types CT-008, MD-7)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .cell_output import has_recording, marker_text, reconstruction_text, write_recording
from .errors import QueryError
from .whole_files import new_path

if TYPE_CHECKING:
    from .session import Session


@dataclass(frozen=True)
class Bundle:
    """What was written, and which files of the model are not in the lake; paths are of the folder."""

    path: Path
    files: tuple[str, ...]
    missing: tuple[str, ...]


def export_bundle(session: Session, model: int, to: Path, *, force: bool = False, partial: bool = False) -> Bundle:
    """Write the folder of a model: manifest, fit, reconstruction, markers, mechanisms, recording, and an empty `work`.

    force : replace what is there
    partial : leave out what is not in the lake
    Raises QueryError for a model that nobody knows, and unless partial for files that are not here.
    """
    manifest = session.sql(f"select manifest_json from models.bundle_manifest({int(model)})").one().manifest_json
    wanted = session.sql(f"""
        select f.file_kind, f.bundle_path, f.specimen_id, f.well_known_file_id
        from models.model_files as f
        where f.neuronal_model_id = {int(model)} and f.file_kind is not null and f.specimen_id is not null
        order by f.bundle_path""").arrow()  # fmt: skip
    writers = [(row["bundle_path"], _writer(session, int(model), row)) for row in wanted.to_pylist()]
    missing = tuple(path for path, write in writers if write is None)
    if missing and not partial:
        raise QueryError(
            f"model {model} lacks {', '.join(missing)} in this lake: `brainlake fetch biophysical_files {model}` brings "
            "them, --partial leaves them out"
        )
    with new_path(to, session.state.root, force=force) as folder:
        (folder / "work").mkdir(parents=True)
        (folder / "manifest.json").write_text(json.dumps(json.loads(manifest), indent=2) + "\n")
        for path, write in writers:
            if write is not None:
                (folder / path).parent.mkdir(exist_ok=True)
                write(folder / path)
    return Bundle(to, ("manifest.json", *(path for path, write in writers if write is not None)), missing)


Writer = Callable[[Path], Any]


def _writer(session: Session, model: int, wanted: dict[str, Any]) -> Writer | None:
    """What writes one file; None where the lake does not hold it."""
    cell = wanted["specimen_id"]
    if wanted["file_kind"] == "stimulus":
        is_here = cell is not None and has_recording(session, cell)
        return (lambda path: write_recording(session, cell, path)) if is_here else None
    text = _TEXTS[wanted["file_kind"]](session, model, wanted)
    return None if text is None else lambda path: path.write_text(text)


def _fit(session: Session, model: int, wanted: dict[str, Any]) -> str | None:
    found = session.sql(
        f"select fit_json from models.biophysical_models where neuronal_model_id = {model} and source_name = $name",
        {"name": wanted["bundle_path"]},
    ).arrow()
    return found["fit_json"][0].as_py() if found.num_rows == 1 else None


def _mechanism(session: Session, model: int, wanted: dict[str, Any]) -> str | None:
    name = wanted["bundle_path"].removeprefix("modfiles/")
    found = session.sql(
        "select distinct nmodl from models.mechanisms where source_name = $name", {"name": name}
    ).arrow()
    if found.num_rows > 1:
        raise QueryError(
            f"the lake holds {found.num_rows} mechanisms called {name}: `brainlake forget` all but the model's"
        )
    return found["nmodl"][0].as_py() if found.num_rows else None


_TEXTS: dict[str, Callable[[Any, int, dict[str, Any]], str | None]] = {
    "fit": _fit,
    "morphology": lambda session, _, wanted: reconstruction_text(session, wanted["specimen_id"], wanted["bundle_path"]),
    "marker": lambda session, _, wanted: marker_text(session, wanted["specimen_id"]),
    "modfiles": _mechanism,
}
