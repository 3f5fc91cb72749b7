"""The documents around a pipeline: its input checked before anything is read, its output written when all is done."""

from __future__ import annotations

import copy
import importlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...ingest.contract import Source
from ...ingest.json_source import read_json
from ..errors import BrainlakeError, SourceError
from ..whole_files import whole_file
from . import PIPELINES

# parts of schemas
NUMBER, LENGTH = {"type": "number"}, {"type": "number", "exclusiveMinimum": 0}
COUNT, INDEX, TEXT = (
    {"type": "integer", "minimum": 1},
    {"type": "integer", "minimum": 0},
    {"type": "string", "minLength": 1},
)


def an_object(needed: Mapping[str, Any], optional: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """An object with these members and no other."""
    return {
        "type": "object",
        "properties": {**needed, **(optional or {})},
        "required": list(needed),
        "additionalProperties": False,
    }


def a_list(items: Mapping[str, Any], at_least: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": dict(items), "minItems": at_least}


def run_documents(name: str, given: Path, made: Path) -> dict[str, Any]:
    """Run a pipeline on a document and write the other. Raises SourceError where its input is not as it should be."""
    pipeline = importlib.import_module(f"{__package__}.{PIPELINES[name]}")
    source = Source(given, str(given))
    parameters = checked(source, read_json(source), pipeline.SCHEMA)
    if not made.parent.is_dir():
        raise BrainlakeError(f"{made}: there is no folder {made.parent}")
    result: dict[str, Any] = pipeline.run(parameters, source, made.parent)
    if "msg" not in result:  # an answer of the API is left as it is
        result = {"pipeline": name, **result}
    with whole_file(made) as stream:
        stream.write(json.dumps(result, indent=2, allow_nan=False).encode() + b"\n")
    return result


def checked(source: Source, document: Any, schema: Mapping[str, Any]) -> dict[str, Any]:
    """A document with its defaults. Raises SourceError naming the member that is missing, unknown or of another kind."""
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import best_match

    filled = _with_defaults(copy.deepcopy(document), schema)
    error = best_match(Draft202012Validator(schema).iter_errors(filled))
    if error is not None:
        raise SourceError(source, error.json_path.removeprefix("$").lstrip(".") or None, error.message[:300])
    found: dict[str, Any] = filled
    return found


def _with_defaults(value: Any, schema: Mapping[str, Any]) -> Any:
    if isinstance(value, dict):
        for name, member in schema.get("properties", {}).items():
            if name in value:
                value[name] = _with_defaults(value[name], member)
            elif "default" in member:
                value[name] = member["default"]
    elif isinstance(value, list):
        return [_with_defaults(item, schema.get("items", {})) for item in value]
    return value
