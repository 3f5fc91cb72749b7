"""Records of models as the API gives them (NeuronalModel): one, a list, or an answer; as JSON or printed by Python. Or as a
run of a model holds them (:mod:`.models_runs`).

A record includes what the query asked for: the template, the cell with its files, reconstructions and sweeps, the runs.
The record of one model and lists of models overlap; each keeps its own rows, and views choose.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..lake.errors import SourceError
from .contract import Identity, Part, Report, Rows, Source
from .json_source import claimed, document
from .models_glif import DATASET, columns_of, number, text_of
from .models_runs import as_record, is_run

_MARKERS = (b"neuronal_model_template_id", b'"ephys_roi_result"')
_MEMBERS = {
    "id", "name", "specimen_id", "specimen", "neuronal_model_template_id", "neuronal_model_template",
    "neuronal_model_runs", "neuron_reconstruction_id", "well_known_files",
}  # fmt: skip
_TABLES = ("model_records", "model_record_runs", "model_record_files", "model_record_sweeps")


@dataclass
class Gathered:
    """Rows of each table, of the records read so far."""

    rows: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: {name: [] for name in _TABLES})

    def add(self, table: str, row: dict[str, Any]) -> None:
        self.rows[table].append(row)


class ModelRecordReader:
    """Reader of NeuronalModel records."""

    name = "model_records"
    version = "2"
    parts: Sequence[Part] = (Part("records", "models, their runs, files and sweeps as the API lists them"),)

    def sniff(self, source: Source) -> bool:
        return claimed(source, _MARKERS, lambda found: bool(_records(found)))

    def identify(self, source: Source) -> Identity:
        records, is_listed = _read(source)
        ids = sorted(_id(source, f"record {n}, id", record.get("id")) for n, record in enumerate(records))
        if is_listed:
            return Identity(f"models.neuronal_models/{ids[0]}-{ids[-1]}", "model_list", dataset=DATASET)
        return Identity(f"models.neuronal_model/{ids[0]}", "model_record", dataset=DATASET)

    def inspect(self, source: Source, report: Report) -> None:
        report.found("records", source.path.stat().st_size)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        if "records" not in parts:
            return
        records, is_listed = _read(source)
        gathered = Gathered()
        seen: set[int] = set()
        for n, record in enumerate(records):
            where = f"record {n}"
            model = _id(source, f"{where}, id", record.get("id"))
            if model in seen:
                raise SourceError(source, where, f"tells of model {model}, as another does")
            seen.add(model)
            _add(source, where, record, {"neuronal_model_id": model, "is_listed": is_listed}, gathered)
        for table, rows in gathered.rows.items():
            if rows:
                yield Rows(f"models.{table}", columns_of(rows))


def _records(found: Any) -> list[Mapping[str, Any]]:
    """Records of a document in any of its forms; none where it is something else."""
    if isinstance(found, dict) and isinstance(found.get("msg"), list):
        found = found["msg"]
    listed = [as_record(one) if is_run(one) else one for one in (found if isinstance(found, list) else [found])]
    is_one = all(isinstance(r, dict) and {"id", "specimen_id", "neuronal_model_template_id"} <= set(r) for r in listed)
    return listed if listed and is_one else []


def _read(source: Source) -> tuple[list[Mapping[str, Any]], bool]:
    """The records, and whether they are a list of several. Raises SourceError where there is none."""
    records = _records(document(source))
    if not records:
        raise SourceError(source, None, "holds no record of a model (NeuronalModel)")
    return records, len(records) > 1


def _add(source: Source, where: str, record: Mapping[str, Any], key: dict[str, Any], gathered: Gathered) -> None:
    template = _object(source, f"{where}, neuronal_model_template", record.get("neuronal_model_template"))
    specimen = _object(source, f"{where}, specimen", record.get("specimen"))
    reconstructions = list(_objects(source, f"{where}, neuron_reconstructions", specimen.get("neuron_reconstructions")))
    sweeps = list(_objects(source, f"{where}, ephys_sweeps", specimen.get("ephys_sweeps")))
    reconstruction = record.get("neuron_reconstruction_id")
    row = {
        **key,
        "specimen_id": _optional_id(source, f"{where}, specimen_id", record.get("specimen_id")),
        "neuronal_model_template_id": _optional_id(
            source, f"{where}, neuronal_model_template_id", record.get("neuronal_model_template_id")
        ),
        "neuronal_model_name": text_of(record.get("name")),
        "neuronal_model_template_name": text_of(template.get("name")),
        "neuronal_model_template_description": text_of(template.get("description")),
        "reconstruction_id": _optional_id(source, f"{where}, neuron_reconstruction_id", reconstruction),
        "specimen_name": text_of(specimen.get("name")),
    }
    rest = {name: value for name, value in record.items() if name not in _MEMBERS}
    of_specimen = {k: v for k, v in specimen.items() if k not in ("ephys_sweeps", "well_known_files", "name", "id")}
    gathered.add("model_records", {**row, "extra": _extra({**rest, "specimen": of_specimen} if of_specimen else rest)})

    runs = list(_objects(source, f"{where}, neuronal_model_runs", record.get("neuronal_model_runs")))
    for n, run in enumerate(runs):
        _add_run(source, f"{where}, run {n}", n, run, key, gathered)
    numbers: set[int] = set()
    for sweep in sweeps:
        _add_sweep(source, where, sweep, key, numbers, gathered)

    result = _object(source, f"{where}, ephys_result", specimen.get("ephys_result"))
    owners = [
        ("NeuronalModel", record), ("NeuronalModelTemplate", template), ("EphysResult", result),
        *(("NeuronReconstruction", one) for one in reconstructions), *(("NeuronalModelRun", one) for one in runs),
    ]  # fmt: skip
    seen: set[int] = set()
    for owner_type, owner in owners:
        for file in _objects(source, f"{where}, well_known_files of {owner_type}", owner.get("well_known_files")):
            found = _file(source, where, owner_type, owner, file)
            if found["well_known_file_id"] not in seen:
                seen.add(found["well_known_file_id"])
                gathered.add("model_record_files", {**key, **found})


def _add_run(
    source: Source, where: str, n: int, run: Mapping[str, Any], key: dict[str, Any], gathered: Gathered
) -> None:
    named = {"id", "neuronal_model_id", "rheobase_feature_average", "explained_variance_ratio", "well_known_files"}
    values = {
        name: number(source, f"{where}, {name}", run.get(name), optional=True)
        for name in ("rheobase_feature_average", "explained_variance_ratio")
    }
    run_id = _optional_id(source, f"{where}, id", run.get("id"))
    extra = _extra({k: v for k, v in run.items() if k not in named})
    gathered.add(
        "model_record_runs", {**key, "run_index": n, "neuronal_model_run_id": run_id, **values, "extra": extra}
    )


def _add_sweep(
    source: Source, where: str, sweep: Mapping[str, Any], key: dict[str, Any], numbers: set[int], gathered: Gathered
) -> None:
    named = {"sweep_number", "id", "specimen_id", "stimulus_name", "num_spikes"}
    at = f"{where}, a sweep's"
    sweep_number = _id(source, f"{at} sweep_number", sweep.get("sweep_number"))
    if sweep_number in numbers:
        raise SourceError(source, f"{where}, ephys_sweeps", f"sweep {sweep_number} is there twice")
    numbers.add(sweep_number)
    row = {
        **key,
        "sweep_number": sweep_number,
        "sweep_id": _optional_id(source, f"{at} id", sweep.get("id")),
        "specimen_id": _optional_id(source, f"{at} specimen_id", sweep.get("specimen_id")),
        "stimulus_name": text_of(sweep.get("stimulus_name")),
        "num_spikes": _optional_id(source, f"{at} num_spikes", sweep.get("num_spikes")),
        "extra": _extra({k: v for k, v in sweep.items() if k not in named}),
    }
    gathered.add("model_record_sweeps", row)


def _file(
    source: Source, where: str, owner_type: str, owner: Mapping[str, Any], file: Mapping[str, Any]
) -> dict[str, Any]:
    kind = _object(source, f"{where}, well_known_file_type", file.get("well_known_file_type"))
    path = text_of(file.get("path"))
    type_id = file.get("well_known_file_type_id", kind.get("id"))
    return {
        "owner_type": owner_type,
        "owner_id": _optional_id(source, f"{where}, id of {owner_type}", owner.get("id")),
        "well_known_file_id": _id(source, f"{where}, id of a well-known file", file.get("id")),
        "well_known_file_type_id": _optional_id(source, f"{where}, well_known_file_type_id", type_id),
        "file_type": text_of(kind.get("name")),
        "file_name": path.rsplit("/", 1)[-1] if path else None,
        "download_link": text_of(file.get("download_link")),
        "warehouse_path": path,
    }


def _id(source: Source, where: str, given: Any) -> int:
    found = _optional_id(source, where, given)
    if found is None:
        raise SourceError(source, where, "is missing")
    return found


def _optional_id(source: Source, where: str, given: Any) -> int | None:
    """A whole number, or one in quotes. Raises SourceError where it is none."""
    if given is None:
        return None
    try:
        if isinstance(given, bool) or (isinstance(given, float) and not given.is_integer()):
            raise ValueError
        found = int(given)
        if not -(2**63) <= found < 2**63:
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise SourceError(source, where, f"{str(given)[:40]!r} is no whole number") from None
    return found


def _object(source: Source, where: str, given: Any) -> Mapping[str, Any]:
    if given is None:
        return {}
    if not isinstance(given, dict):
        raise SourceError(source, where, "is no object")
    return given


def _objects(source: Source, where: str, given: Any) -> Iterator[Mapping[str, Any]]:
    if given is None:
        return
    if not isinstance(given, list):
        raise SourceError(source, where, "is no list")
    for item in given:
        yield _object(source, where, item)


def _extra(rest: Mapping[str, Any]) -> str | None:
    """What no column holds, as JSON."""
    try:
        return json.dumps(rest).replace("\\u0000", "") if rest else None
    except (TypeError, ValueError, RecursionError):  # a Python literal may hold a set, bytes or a complex number
        return json.dumps(str(rest)[:10_000])


READER = ModelRecordReader()
