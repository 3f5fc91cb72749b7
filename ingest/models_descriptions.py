"""Description files of models: manifests, fits, configurations in sections (MD-1 to MD-5).

Such a file is an object of sections, each a list of entries; it may hold comments, and one object may stand for a list
of one. Several files merge section by section, which is a question to the lake (``models.merged_descriptions``). A file
that is a bare list is the section that ``--set section=NAME`` says.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..lake.errors import SourceError
from .cache_manifests import cache_of
from .contract import Identity, Part, Report, Rows, Setting, Source, made_id
from .json_source import claimed, document, read_bytes, without_comments
from .models_glif import columns_of, digest, number, text_of

_MARKERS = (b'"manifest"', b'"genome"', b'"biophys"', b"'manifest'", b"'genome'", b"'biophys'")
_SECTIONS = {"biophys", "runs", "neuron", "manifest", "passive", "axon_morph", "fitting", "conditions", "genome"}
_MISSPELT = {"axon_morph,": "axon_morph"}  # MD-3: the reference writes it so
_NAMED = re.compile(r"(\d{6,18})_", re.ASCII)


class DescriptionReader:
    """Reader of manifests, fits and other description files."""

    name = "model_description"
    version = "1"
    parts: Sequence[Part] = (Part("descriptions", "entries of description files, manifests and fits of models"),)
    settings: Sequence[Setting] = (Setting("section", "section that a description file is which is a bare list"),)

    def sniff(self, source: Source) -> bool:
        return claimed(source, _MARKERS, lambda found: _kind(found) is not None)

    def identify(self, source: Source) -> Identity:
        _, found = _read(source)
        return Identity(f"models.description/{made_id(digest(found), 'description')}", "model_description")

    def inspect(self, source: Source, report: Report) -> None:
        report.found("descriptions", source.path.stat().st_size)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        if "descriptions" not in parts:
            return
        kind, found = _read(source)
        sections = _sections(source, found, report)
        sha256 = digest(found)
        description = made_id(sha256, "description")
        biophys = next((e for e in sections.get("biophys", []) if isinstance(e, dict)), {})
        files = biophys.get("model_file") or []
        text = read_bytes(source).decode("utf-8", "replace")
        facts = {
            "description_id": description,
            "source_name": source.name,
            "description_kind": kind,
            "model_type": text_of(biophys.get("model_type")),
            "model_files": [text_of(name) or "" for name in (files if isinstance(files, list) else [files])],
            "has_comments": without_comments(source, text) != text,
            "sha256": sha256,
        }
        yield Rows("models.description_files", columns_of([facts]))
        entries = [
            {
                "description_id": description,
                "section": name,
                "entry_index": n,
                "entry_json": json.dumps(entry),
                "is_unary": not isinstance(found.get(name, found.get(f"{name},")), list),
            }
            for name, section in sections.items()
            for n, entry in enumerate(section)
        ]
        if entries:
            yield Rows("models.descriptions", columns_of(entries))
        manifest = [_manifest_entry(source, description, n, e) for n, e in enumerate(sections.get("manifest", []))]
        if manifest:
            yield Rows("models.manifest_entries", columns_of(manifest))
        if kind == "fit":
            yield from _fit_rows(source, description, found, sections)


def _kind(found: Any) -> str | None:
    """What a document is; None where it is no description file."""
    if not isinstance(found, dict):
        return None
    if isinstance(found.get("genome"), list) and "passive" in found:
        return "fit"
    manifest = found.get("manifest")
    if cache_of(found) is not None:  # it tells of no model, but where files are
        return None
    if isinstance(manifest, list) and all(isinstance(e, dict) and ("key" in e or "type" in e) for e in manifest):
        return "manifest"
    if isinstance(found.get("biophys"), list | dict) and set(found) <= _SECTIONS | set(_MISSPELT):
        return "sections"
    return None


def _read(source: Source) -> tuple[str, dict[str, Any]]:
    found = document(source)
    if isinstance(found, list):
        section = source.setting("section")
        if not section:
            raise SourceError(
                source, None, "is a list, and does not tell of which section", "--set section=NAME tells it"
            )
        return "sections", {section: found}
    kind = _kind(found)
    if kind is None:
        raise SourceError(source, None, "is no description file: it has no section manifest, biophys or genome")
    return kind, found


def _sections(source: Source, found: Mapping[str, Any], report: Report) -> dict[str, list[Any]]:
    """Entries by section, an object as a list of one (MD-3). Raises SourceError where a section comes twice."""
    sections: dict[str, list[Any]] = {}
    for given, value in found.items():
        name = _MISSPELT.get(given, text_of(given) or "")
        if name in sections:
            raise SourceError(source, given, "is there under two spellings")
        if isinstance(value, list | dict):
            sections[name] = value if isinstance(value, list) else [value]
        else:
            report.skip(name, "is neither a list of entries nor an entry")
    return sections


def _manifest_entry(source: Source, description: int, n: int, entry: Any) -> dict[str, Any]:
    where = f"manifest [{n}]"
    if not isinstance(entry, dict):
        raise SourceError(source, where, "is no object")
    required = entry.get("required")
    version = entry.get("value", entry.get("version")) if entry.get("type") == "manifest_version" else None
    parent = entry.get("parent")
    if entry.get("type") != "manifest_version" and not isinstance(entry.get("key"), str):
        raise SourceError(source, f"{where}, key", "is missing, and every file or folder has one")
    return {
        "description_id": description,
        "entry_index": n,
        "entry_key": text_of(entry.get("key")),
        "entry_type": text_of(entry.get("type")),
        "spec": text_of(entry.get("spec")),
        "parent_key": text_of(entry.get("parent_key")),
        "ignored_parent": text_of(parent),
        "format": text_of(entry.get("format")),
        "required": required if isinstance(required, bool) else None,
        "manifest_version": text_of(version),
    }


def _fit_rows(source: Source, fit: int, found: Mapping[str, Any], sections: Mapping[str, list[Any]]) -> Iterator[Rows]:
    passive, fitting, conditions = (
        _first(source, name, sections.get(name)) for name in ("passive", "fitting", "conditions")
    )
    sweeps = fitting.get("sweeps") or []
    if not isinstance(sweeps, list) or not all(isinstance(s, int) and 0 <= s < 2**31 for s in sweeps):
        raise SourceError(source, "fitting, sweeps", "is no list of sweep numbers")
    named = _NAMED.match(source.name)
    axon = sections.get("axon_morph")
    facts = {
        "biophysical_fit_id": fit,
        "ra": number(source, "passive, ra", passive.get("ra"), optional=True),
        "e_pas_mv": number(source, "passive, e_pas", passive.get("e_pas"), optional=True),
        "junction_potential_mv": number(
            source, "fitting, junction_potential", fitting.get("junction_potential"), optional=True
        ),
        "celsius": number(source, "conditions, celsius", conditions.get("celsius"), optional=True),
        "v_init_mv": number(source, "conditions, v_init", conditions.get("v_init"), optional=True),
        "fit_sweeps": sweeps,
        "axon_morph_json": json.dumps(axon) if axon is not None else None,
        "fit_json": json.dumps(found),
        "source_name": source.name,
        "named_model_id": int(named[1]) if named else None,
    }
    yield Rows("models.biophysical_fits", columns_of([facts]))
    cm = [
        {"section": _section(source, where, row), "cm": number(source, f"{where}, cm", row.get("cm"))}
        for where, row in _rows(source, "passive, cm", passive.get("cm"))
    ]
    erev = [
        {
            "section": _section(source, where, row),
            "ena_mv": number(source, f"{where}, ena", row.get("ena"), optional=True),
            "ek_mv": number(source, f"{where}, ek", row.get("ek"), optional=True),
        }
        for where, row in _rows(source, "conditions, erev", conditions.get("erev"))
    ]
    genome = [
        {
            "section": _section(source, where, row),
            "mechanism": text_of(row.get("mechanism")) or "",
            "parameter_name": text_of(row.get("name")) or "",
            "parameter_value": number(source, f"{where}, value", row.get("value")),
            "value_text": row["value"] if isinstance(row["value"], str) else None,
        }
        for where, row in _rows(source, "genome", sections.get("genome"))
    ]
    for table, rows in (("cm", cm), ("genome", genome), ("erev", erev)):
        if rows:
            numbered = [{"biophysical_fit_id": fit, "row_index": n, **row} for n, row in enumerate(rows)]
            yield Rows(f"models.biophysical_{table}", columns_of(numbered))


def _first(source: Source, name: str, section: list[Any] | None) -> Mapping[str, Any]:
    if not section:
        return {}
    if not isinstance(section[0], dict):
        raise SourceError(source, f"{name} [0]", "is no object")
    return section[0]


def _rows(source: Source, where: str, given: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    if given is None:
        return
    if not isinstance(given, list):
        raise SourceError(source, where, "is no list")
    for n, row in enumerate(given):
        if not isinstance(row, dict):
            raise SourceError(source, f"{where} [{n}]", "is no object")
        yield f"{where} [{n}]", row


def _section(source: Source, where: str, row: Mapping[str, Any]) -> str:
    if not isinstance(row.get("section"), str):
        raise SourceError(source, f"{where}, section", "is missing")
    return text_of(row["section"]) or ""


READER = DescriptionReader()
