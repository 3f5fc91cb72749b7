"""Configurations of GLIF models: as the API gives them (by id), bare, and in the NEST form, which is the bare one."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

from ..lake.errors import SourceError
from .contract import ID_BASE, Identity, Part, Report, Rows, Source, made_id
from .json_source import claimed, document

DATASET = "Allen Cell Types Database"
METHODS = {
    "AScurrent_dynamics_method": "ascurrent_dynamics_method",
    "voltage_dynamics_method": "voltage_dynamics_method",
    "threshold_dynamics_method": "threshold_dynamics_method",
    "AScurrent_reset_method": "ascurrent_reset_method",
    "voltage_reset_method": "voltage_reset_method",
    "threshold_reset_method": "threshold_reset_method",
}
_SCALARS = {
    "El": "el", "El_reference": "el_reference", "dt": "dt", "R_input": "r_input", "C": "capacitance", "th_inf": "th_inf",
    "th_adapt": "th_adapt", "init_voltage": "init_voltage", "init_threshold": "init_threshold",
    "dt_multiplier": "dt_multiplier",
}  # fmt: skip
_OPTIONAL = {"El_reference", "th_adapt", "dt_multiplier"}
_VECTORS = {
    "init_AScurrents": "init_ascurrents", "asc_tau_array": "asc_tau_array", "asc_amp_array": "asc_amp_array",
}  # fmt: skip
_COEFFICIENTS = {"th_inf": "coeff_th_inf", "C": "coeff_c", "G": "coeff_g", "a": "coeff_a", "b": "coeff_b"}

# Rules of the five levels (GL-5), in the order of METHODS
_LEVELS: dict[tuple[str, ...], int] = {
    ("none", "linear_forward_euler", "inf", "none", "zero", "inf"): 1,
    ("none", "linear_forward_euler", "spike_component", "none", "v_before", "three_components"): 2,
    ("exp", "linear_forward_euler", "inf", "sum", "zero", "inf"): 3,
    ("exp", "linear_forward_euler", "spike_component", "sum", "v_before", "three_components"): 4,
    ("exp", "linear_forward_euler", "three_components_exact", "sum", "v_before", "three_components"): 5,
}
_NAMED = re.compile(r"(\d{6,18})_", re.ASCII)
_FOLDER = re.compile(r"neuronal_model_(\d{6,15})(?:\.zip)?|(\d{6,15})\.zip", re.ASCII)


class GlifConfigReader:
    """Reader of GLIF configurations in JSON."""

    name = "glif_config"
    version = "2"
    parts: Sequence[Part] = (Part("glif", "configurations of GLIF models"),)

    def sniff(self, source: Source) -> bool:
        return claimed(source, (b'"AScurrent_dynamics_method"',), lambda found: bool(_configs(found)))

    def identify(self, source: Source) -> Identity:
        ids = sorted(_models(source))
        if ids[0] >= ID_BASE:
            return Identity(f"models.glif_config/{ids[0]}", "glif_config")
        subject = f"models.neuronal_model/{ids[0]}" if len(ids) == 1 else f"models.neuronal_models/{ids[0]}-{ids[-1]}"
        return Identity(subject, "glif_config", dataset=DATASET)

    def inspect(self, source: Source, report: Report) -> None:
        report.found("glif", source.path.stat().st_size)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        if "glif" not in parts:
            return
        rows = [
            config_row(source, str(number), config, number, None) for number, config in sorted(_models(source).items())
        ]
        yield Rows("models.glif_configs", columns_of(rows))


def _configs(found: Any) -> dict[str, Mapping[str, Any]]:
    """Configurations of a document by the text of their id; that of a bare one is empty."""
    if not isinstance(found, dict):
        return {}
    if is_config(found):
        return {"": found}
    return found if found and all(is_config(config) for config in found.values()) else {}


def _models(source: Source) -> dict[int, Mapping[str, Any]]:
    """Configurations of a source by id of the model. Raises SourceError where there is none, or an id is no number."""
    configs = _configs(document(source))
    if not configs:
        raise SourceError(source, None, "holds no configuration of a GLIF model, alone or by id")
    models = {}
    for text, config in configs.items():
        if text and not re.fullmatch(r"0|[1-9]\d{0,14}", text, re.ASCII):
            raise SourceError(source, text[:40], "is no id of a model")
        models[int(text) if text else _named_model(source) or made_id(digest(config), "glif")] = config
    return models


def _named_model(source: Source) -> int | None:
    """The model that a file lies in the folder or package of, as the API gives these: ``neuronal_model_472451425``."""
    found = _FOLDER.fullmatch(PurePosixPath(unquote(source.url)).parent.name)
    return int(found[1] or found[2]) if found else None


def is_config(found: Any) -> bool:
    """Whether an object looks like a configuration, complete or not."""
    return isinstance(found, dict) and "AScurrent_dynamics_method" in found and "asc_tau_array" in found


def digest(config: Any) -> str:
    """SHA-256 of a document's content, whatever its layout and order."""
    text = json.dumps(config, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def config_row(
    source: Source, where: str, config: Mapping[str, Any], neuronal_model_id: int, specimen_id: int | None
) -> dict[str, Any]:
    """A configuration as a row of ``models.glif_configs``; numbers in quotes are numbers.

    where : names it in complaints
    Raises SourceError naming what is missing or wrong.
    """
    kind = config.get("type", "GLIF")
    if kind != "GLIF":
        raise SourceError(source, f"{where}, type", f"{str(kind)[:40]!r} is no GLIF model")
    methods = {name: _method(source, f"{where}, {key}", config.get(key)) for key, name in METHODS.items()}
    vectors = {name: _numbers(source, f"{where}, {key}", config.get(key)) for key, name in _VECTORS.items()}
    if len({len(values) for values in vectors.values()}) > 1:
        raise SourceError(source, where, f"{', '.join(_VECTORS)} differ in length")
    scalars = {
        name: number(source, f"{where}, {key}", config.get(key), key in _OPTIONAL) for key, name in _SCALARS.items()
    }
    given = config.get("coeffs") or {}
    if not isinstance(given, dict):
        raise SourceError(source, f"{where}, coeffs", "is no object")
    coeffs = {
        name: number(source, f"{where}, coeffs {key}", given.get(key, 1.0)) for key, name in _COEFFICIENTS.items()
    }
    n_currents = len(vectors["asc_tau_array"])
    amplitudes = given.get("asc_amp_array", [1.0] * n_currents)
    named = _NAMED.match(source.name)
    return {
        "neuronal_model_id": neuronal_model_id,
        "specimen_id": specimen_id,
        "glif_level": _LEVELS.get(tuple(methods.values())),
        **scalars,
        **vectors,
        "spike_cut_length": _steps(source, f"{where}, spike_cut_length", config.get("spike_cut_length")),
        **coeffs,
        "coeff_asc_amp_array": _numbers(source, f"{where}, coeffs asc_amp_array", amplitudes),
        **methods,
        "extrapolation_method": text_of(config.get("extrapolation_method_name")),
        "config_json": json.dumps(config),
        "source_name": source.name,
        "named_specimen_id": int(named[1]) if named else None,
    }


def columns_of(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Rows as columns."""
    return {name: [row[name] for row in rows] for name in rows[0]}


def number(source: Source, where: str, given: Any, optional: bool = False) -> float | None:
    """A number, or one in quotes. Raises SourceError where it is none; None where nothing is given and none is needed."""
    if given is None and optional:
        return None
    try:
        if given is None or isinstance(given, bool):
            raise TypeError
        value = float(given)
    except (TypeError, ValueError, OverflowError):
        reason = "is missing" if given is None else f"{str(given)[:40]!r} is no number"
        raise SourceError(source, where, reason) from None
    if not math.isfinite(value):
        if optional:
            return None
        raise SourceError(source, where, "is no finite number")
    return value


def text_of(given: Any) -> str | None:
    """A text as it is, another value as JSON, None for nothing. NUL, which no column holds, is taken out."""
    if given is None:
        return None
    text = given if isinstance(given, str) else json.dumps(given)
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _numbers(source: Source, where: str, given: Any) -> list[float | None]:
    if not isinstance(given, list):
        raise SourceError(source, where, "is missing" if given is None else "is no list")
    return [number(source, f"{where} [{i}]", value) for i, value in enumerate(given)]


def _steps(source: Source, where: str, given: Any) -> int:
    value = number(source, where, given)
    assert value is not None
    if value != int(value) or not 0 <= value < 2**31:
        raise SourceError(source, where, f"{value} is no number of time steps")
    return int(value)


def _method(source: Source, where: str, given: Any) -> str:
    if not isinstance(given, dict) or not isinstance(given.get("name"), str):
        raise SourceError(source, where, "is missing" if given is None else "names no rule")
    return text_of(given["name"]) or ""


READER = GlifConfigReader()
