"""Volumes of the reference space: annotations, masks, templates and other grey values.

What a volume is stands seldom in its file: neither that its numbers are structures, nor of which version. People say it
(``--set kind=annotation --set version=ccf_2017``), or the names of the reference's caches do, or, for the kind alone, the
type of its voxels; which of them did is kept in ``told_by``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..lake.errors import SourceError
from . import metaimage, nrrd
from .ccf_blocks import grey_rows, volume_facts
from .ccf_labels import label_rows
from .contract import Identity, Part, Report, Rows, Setting, Source, made_id
from .heads import read_head
from .volume_files import CCF_SHAPES, Volume, format_of, open_volume

KINDS = ("annotation", "mask", "labels", "template", "nissl", "grey")
LABELS = frozenset({"annotation", "mask", "labels"})
DATASET = "Allen Mouse Brain Common Coordinate Framework"

# Names of the reference's files (spec: connectivity 2.2) and what they say
_NAMES = (
    (re.compile(r"annotation(_\d+)?\."), "annotation"),
    (re.compile(r".*_(mouse_)?(grid)?annotation\.", re.IGNORECASE), "annotation"),
    (re.compile(r"gridannotation\.", re.IGNORECASE), "annotation"),
    (re.compile(r"structure_(?P<structure>\d+)\."), "mask"),
    (re.compile(r"average_template(_\d+)?\."), "template"),
    (re.compile(r".*atlasvolume\.", re.IGNORECASE), "template"),
    (re.compile(r"ara_nissl(_\d+)?\."), "nissl"),
)
# Signals of an experiment, which other readers take
_SIGNALS = re.compile(
    r"(projection|injection|expression|cav)_\w+?(_\d+)?\.|(data_mask|dfmfld|energy|density|intensity|aav_\w+|sum_\w+)(_\d+)?\."
)
_VERSION = re.compile(r"ccf_20\d\d|mouse_2011|devmouse_2012")


@dataclass(frozen=True)
class Told:
    """What a volume is, and what says so."""

    kind: str
    version: str | None
    structure_id: int | None
    told_by: str


class VolumeReader:
    """Reader of volumes of the reference space."""

    name = "ccf_volumes"
    version = "1"
    parts: Sequence[Part] = (Part("volumes", "voxels: runs of labels, or blocks of grey values"),)
    settings: Sequence[Setting] = (
        Setting("kind", f"what the volume is: {', '.join(KINDS)}"),
        Setting("version", "version of the annotation, as ccf_2017"),
        Setting("structure", "id of the structure that a mask is of"),
        Setting("axes", "axes of the file, the fastest first, as ap,dv,ml; -ml runs from right to left"),
        Setting("spacing", "edge of a voxel in um, or three along ap, dv and ml"),
        Setting("orientation", "PIR, or PIL where ml grows to the left"),
    )

    def sniff(self, source: Source) -> bool:
        kind = format_of(source)
        if kind is None or _SIGNALS.match(source.name.lower()):
            return False
        if kind == "zip":
            from .volume_zip import members

            try:
                headers = [name for name in members(source) if name.lower().endswith(".mhd")]
            except SourceError:
                return False
            return len(headers) == 1 and not _SIGNALS.match(Path(headers[0]).name.lower())
        if kind == "npy":
            return _is_volume_array(source)
        return True

    def companions(self, source: Source) -> Sequence[Path]:
        """Files beside it that hold its voxels."""
        find = {"nrrd": nrrd.companion, "metaimage": metaimage.companion}.get(format_of(source) or "")
        found = find(source) if find else None
        return [found] if found else []

    def identify(self, source: Source) -> Identity:
        volume = open_volume(source)
        return Identity(_subject(volume, tell(volume)), "volume", dataset=DATASET, version=tell(volume).version)

    def inspect(self, source: Source, report: Report) -> None:
        report.found("volumes", open_volume(source).header.n_bytes)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        volume = open_volume(source)
        report.found("volumes", volume.header.n_bytes)
        if "volumes" not in parts:
            return
        told = tell(volume)
        for warning in volume.warnings:
            report.warn(warning)
        if told.kind == "annotation" and told.version is None:
            report.warn("nothing tells which version of the annotation this is: --set version=ccf_2017 says it")
        if told.told_by == "content":
            report.warn(f"taken as {told.kind}, from the type of its voxels alone: --set kind=... says another")
        yield from _voxel_rows(volume, told, report)


def _is_volume_array(source: Source) -> bool:
    """An array of numbers that its name or its shape tells to be a volume: any list of matrices has three dimensions."""
    head = read_head(source, 512)
    match = re.search(rb"'shape':\s*\(\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*,?\)", head)
    if not match or re.search(rb"'descr':\s*'[<>|=][biuf]\d", head) is None:
        return False
    name = source.name.lower()
    return tuple(map(int, match.groups())) in CCF_SHAPES.values() or any(p.match(name) for p, _ in _NAMES)


def tell(volume: Volume) -> Told:
    """What the volume is. Raises SourceError where a setting is none."""
    source = volume.source
    kind, version, structure = (source.setting(name) for name in ("kind", "version", "structure"))
    if kind is not None and kind not in KINDS:
        raise SourceError(source, "setting kind", f"{kind!r} is none of {', '.join(KINDS)}")
    told_by = "option" if kind else "path"
    if kind is None:
        name = source.name.lower()
        match, kind = next(((m, kind) for p, kind in _NAMES if (m := p.match(name))), (None, None))
        if match and structure is None:
            structure = match.groupdict().get("structure")
    if kind is None:
        told_by, kind = "content", _kind_of(volume)
    if version is None and kind in ("annotation", "mask"):
        folder = next((part for part in reversed(source.path.parts[:-1]) if _VERSION.fullmatch(part)), None)
        version = folder
    if structure is not None and not structure.isdigit():
        raise SourceError(source, "setting structure", f"{structure!r} is no id of a structure")
    return Told(kind, version, int(structure) if structure and kind == "mask" else None, told_by)


def _kind_of(volume: Volume) -> str:
    """Wide whole numbers are ids of structures, bytes are labels; anything else is a grey value."""
    dtype = volume.header.dtype
    if volume.header.n_components > 1 or dtype.kind not in "iub":
        return "grey"
    return {1: "labels", 2: "grey"}.get(dtype.itemsize, "annotation")


def _subject(volume: Volume, told: Told) -> str:
    """By what people or names tell; a volume of which nothing is told is known by its content."""
    edges = volume.header.along(volume.header.spacing)
    resolution = f"{edges[0]:g}um" if len(set(edges)) == 1 else "x".join(f"{edge:g}" for edge in edges) + "um"
    if told.kind in ("template", "nissl"):
        return f"ccf.volume/{told.kind}/ccf/{resolution}"
    if told.kind == "mask" and told.structure_id is not None:
        return f"ccf.volume/mask/{told.version or 'ccf'}/{told.structure_id}/{resolution}"
    if told.kind == "annotation" and told.version:
        return f"ccf.volume/annotation/{told.version}/{resolution}"
    return f"ccf.volume/{told.kind}/{_fingerprint(volume)}/{resolution}"


def _fingerprint(volume: Volume) -> str:
    """Of the size and the beginning of the file that holds the voxels."""
    path = volume.voxels.path
    try:
        digest = hashlib.sha256(str(path.stat().st_size).encode())
        with path.open("rb") as file:
            digest.update(file.read(1 << 20))
    except OSError as error:
        raise SourceError(volume.source, path.name, f"cannot be read: {error.strerror}") from None
    return digest.hexdigest()[:12]


def _voxel_rows(volume: Volume, told: Told, report: Report) -> Iterator[Rows]:
    header, source = volume.header, volume.source
    volume_id = made_id(_subject(volume, told), "volume")
    orientation = (source.setting("orientation") or "PIR").upper()
    if orientation not in ("PIR", "PIL"):
        raise SourceError(source, "setting orientation", f"{orientation!r} is neither PIR nor PIL")
    further = {"version": told.version, "structure_id": told.structure_id, "axes_grow_to": orientation}
    if told.kind not in LABELS:
        yield from grey_rows(volume, volume_id, told.kind, told.told_by, _progress(volume, report), **further)
        return
    if header.n_components > 1:
        raise SourceError(source, "header", f"declares {header.n_components} values a voxel: a label is one")
    n_nonzero = 0
    for rows in label_rows(source, volume_id, header.shape, _progress(volume, report)):
        if rows.table == "ccf.label_geometry":
            n_nonzero = int(sum(rows.columns["n_voxels"]))
        yield rows
    yield volume_facts(
        volume, volume_id, told.kind, told.told_by, **further, stored_as="runs", stored_dtype=None, n_nonzero=n_nonzero
    )


def _progress(volume: Volume, report: Report) -> Iterator:
    n_ml = volume.header.shape[2]
    for ml, plane in volume.planes():
        yield ml, plane
        if ml % 16 == 15:
            report.progress("planes", ml + 1, n_ml)


READER = VolumeReader()
