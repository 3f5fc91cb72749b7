"""Section data sets of the API with what they include: alignment, injections and images (spec: connectivity 2.1).

An alignment also comes alone, as the reference caches it (``alignment3d.json``). The reference wrote all of them to one
path, where the second request found the first one's parameters: the record itself has to name its experiment.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..lake.errors import SourceError
from ..lake.tables import connectivity as tables
from .contract import Rows, Source
from .json_records import Records, column_of, extra_of
from .json_source import claimed, read_json

PARTS = ("alignments", "injections", "section_images")
_IMAGES = ("sub_images", "section_images")
_IMAGE_NAMES = {
    "id": "section_image_id",
    "section_number": "section_number",
    "width": "image_width",
    "height": "image_height",
    "resolution": "resolution_um",
}


def matches(record: Mapping[str, Any]) -> bool:
    """A section data set that includes what this module reads, or what was injected, and shows no genes."""
    specimen = record.get("specimen")
    if record.get("genes"):
        return False
    if isinstance(specimen, dict) and "donor" in specimen and isinstance(specimen.get("injections"), list):
        return True  # the summary of an injection leaves most attributes out
    return "section_thickness" in record and (
        isinstance(record.get("alignment3d"), dict)
        or any(isinstance(record.get(name), list) for name in _IMAGES)
        or bool(_injections(record))
    )


def without_parts(record: Mapping[str, Any]) -> dict[str, Any]:
    """What a section data set says of itself, and of further records that no table of connectivity keeps."""
    return {name: value for name, value in record.items() if name not in ("alignment3d", *_IMAGES)}


def is_alignment(source: Source) -> bool:
    """An alignment alone. Never raises."""
    return claimed(source, (b'"trv_00"',), lambda found: isinstance(found, dict) and "trv_00" in found)


def read_alignment(source: Source) -> tuple[int, dict[str, Any]]:
    """An alignment that comes alone, and the experiment that it is of."""
    record = read_json(source)
    said, told = record.get("aligned_id"), source.setting("experiment")
    if told is not None and not told.isdigit():
        raise SourceError(source, "setting experiment", f"{told!r} is no id of an experiment")
    if isinstance(said, int) and not isinstance(said, bool):
        if told is not None and int(told) != said:
            raise SourceError(source, "aligned_id", f"is {said}, and --set experiment={told} says another")
        return said, record
    if told is None:
        raise SourceError(
            source, "aligned_id", "is missing: the alignment may be of any experiment", "--set experiment=ID names it"
        )
    return int(told), record


def experiment_ids(source: Source) -> set[int]:
    return {_id(source, f"record {number}", record) for number, record in enumerate(Records(source))}


def _id(source: Source, where: str, record: Mapping[str, Any]) -> int:
    value = record.get("id")
    if not isinstance(value, int) or isinstance(value, bool):
        raise SourceError(source, f"{where}, id", "is no id")
    return value


def rows(source: Source, batch: Sequence[Mapping[str, Any]], first: int, parts: frozenset[str]) -> Iterator[Rows]:
    """Rows of a batch of section data sets."""
    ids = [_id(source, f"record {number}", record) for number, record in enumerate(batch, start=first)]
    if "alignments" in parts:
        aligned = [
            (i, r["alignment3d"]) for i, r in zip(ids, batch, strict=True) if isinstance(r.get("alignment3d"), dict)
        ]
        if aligned:
            yield alignment_rows(source, aligned)
    if "injections" in parts:
        given = [(i, one) for i, record in zip(ids, batch, strict=True) for one in _injections(record)]
        if given:
            yield _injection_rows(source, given)
    if "section_images" in parts:
        images = [(i, one) for i, record in zip(ids, batch, strict=True) for one in _images(source, record)]
        if images:
            yield _image_rows(source, images)


def alignment_rows(source: Source, aligned: Sequence[tuple[int, Mapping[str, Any]]]) -> Rows:
    """Alignments of experiments (XFM-01). Raises SourceError where a parameter is missing."""
    records = [record for _, record in aligned]
    wheres = [f"alignment of {experiment}" for experiment, _ in aligned]
    names = {way: [f"{way}_{i:02d}" for i in range(12)] for way in ("trv", "tvr")}
    spec = tables.ALIGNMENTS
    columns = {
        "experiment_id": [experiment for experiment, _ in aligned],
        "alignment_id": column_of(source, spec["alignment_id"], records, "id", 0),
        **{
            way: [_numbers(source, where, record, names[way]) for where, record in zip(wheres, records, strict=True)]
            for way in names
        },
        "extra": extra_of(records, frozenset({"id", "aligned_id", "aligned_type", *names["trv"], *names["tvr"]})),
    }
    return Rows(spec.name, columns)


def _numbers(source: Source, where: str, record: Mapping[str, Any], names: Sequence[str]) -> list[float]:
    values = [record.get(name) for name in names]
    for name, value in zip(names, values, strict=True):
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise SourceError(source, f"{where}, {name}", f"{json.dumps(value)[:40]} is no number")
    return [float(value) for value in values if value is not None]


def _injections(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    specimen = record.get("specimen")
    given = specimen.get("stereotaxic_injections") if isinstance(specimen, dict) else None
    return [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []


def _injection_rows(source: Source, given: Sequence[tuple[int, Mapping[str, Any]]]) -> Rows:
    spec, flat = tables.INJECTIONS, [_flat_injection(one) for _, one in given]
    names = {
        "id": "injection_id",
        "primary_injection_structure_id": "structure_id",
        "injection_materials": "injection_materials",
        "angle": "injection_angle",
        "coordinates_ap": "injection_ap_mm",
        "coordinates_dv": "injection_dv_mm",
        "coordinates_ml": "injection_ml_mm",
    }
    columns: dict[str, Any] = {"experiment_id": [experiment for experiment, _ in given]}
    columns |= {target: column_of(source, spec[target], flat, name, 0) for name, target in names.items()}
    columns["injection_structure_ids"] = [_ids(one.get("structures")) for _, one in given]
    columns["extra"] = extra_of(flat, frozenset({*names, "structures"}))
    return Rows(spec.name, columns)


def _flat_injection(one: Mapping[str, Any]) -> dict[str, Any]:
    """An injection with its primary structure's id and its first coordinates among its own attributes."""
    inner = ("primary_injection_structure", "stereotaxic_injection_coordinates")
    flat = {name: value for name, value in one.items() if name not in inner}
    primary = one.get("primary_injection_structure")
    if isinstance(primary, dict):
        flat.setdefault("primary_injection_structure_id", primary.get("id"))
    coordinates = one.get("stereotaxic_injection_coordinates")
    if isinstance(coordinates, list) and coordinates and isinstance(coordinates[0], dict):
        flat |= {name: coordinates[0].get(name) for name in ("coordinates_ap", "coordinates_dv", "coordinates_ml")}
        if len(coordinates) > 1:
            flat["more_coordinates"] = coordinates[1:]
    if isinstance(flat.get("injection_materials"), list | dict):
        flat["injection_materials"] = json.dumps(flat["injection_materials"], ensure_ascii=False)
    return flat


def _ids(given: Any) -> list[int]:
    items = given if isinstance(given, list) else []
    return [one["id"] for one in items if isinstance(one, dict) and isinstance(one.get("id"), int)]


def _images(source: Source, record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    given: list[Any] = next((record[name] for name in _IMAGES if isinstance(record.get(name), list)), [])
    if not all(isinstance(one, dict) for one in given):
        raise SourceError(source, f"section data set {record.get('id')}", "includes images that are no records")
    return list(given)


def _image_rows(source: Source, images: Sequence[tuple[int, Mapping[str, Any]]]) -> Rows:
    spec, records = tables.SECTION_IMAGES, [one for _, one in images]
    columns: dict[str, Any] = {"experiment_id": [experiment for experiment, _ in images]}
    columns |= {target: column_of(source, spec[target], records, name, 0) for name, target in _IMAGE_NAMES.items()}
    for way in ("tsv", "tvs"):
        columns[way] = [
            _numbers(
                source, f"alignment of image {one.get('id')}", one["alignment2d"], [f"{way}_{i:02d}" for i in range(6)]
            )
            if isinstance(one.get("alignment2d"), dict)
            else []
            for one in records
        ]
    columns["extra"] = extra_of(records, frozenset({*_IMAGE_NAMES, "alignment2d"}))
    return Rows(spec.name, columns)
