"""Drawings of the API: outlines of structures on an image, taken out of their SVG (spec: api E09, E10, 3.5).

Groups nest, each with an order, a label and a transformation; a path says which structure it outlines. The drawing does
not say of which image it is: its name does (``100960033.svg``), else ``--set image=ID``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import inf, isfinite, radians
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

from ..lake.errors import SourceError
from ..lake.tables.rma_svg import SVG_DOCUMENTS, SVG_PATHS
from .contract import Identity, Part, Report, Rows, Setting, Source
from .json_source import MAX_BYTES, read_text

if TYPE_CHECKING:
    from fontTools.misc.transform import Transform

HEAD = 4_096
MAX_DEPTH = 64
BATCH_PATHS = 4_096
DATASET = "Allen Brain Atlas API"

_SVG = re.compile(rb"<(?:svg:)?svg[\s>]")
_ENTITY = re.compile(r"<!ENTITY", re.IGNORECASE)  # a DOCTYPE may stand there: nothing of it is fetched
_OWN = re.compile(r"structure_id|graphic_group_label")
_NAMED = re.compile(r"(\d{1,18})\.svg", re.IGNORECASE | re.ASCII)
_LENGTH = re.compile(r"\s*([+-]?\d*\.?\d+(?:[eE][+-]?\d+)?)\s*(?:px)?\s*", re.ASCII)
_FILL = re.compile(r"(?:^|;)\s*fill\s*:\s*([^;]+?)\s*(?:;|$)")
_FUNCTION = re.compile(r"\s*,?\s*(\w+)\s*\(([^()]*)\)\s*")


class SvgReader:
    """Reader of the API's drawings."""

    name = "rma_svg"
    version = "1"
    parts: Sequence[Part] = (Part("drawings", "outlines of structures on images"),)
    settings: Sequence[Setting] = (Setting("image", "id of the image that a drawing is of, where its name is another"),)

    def sniff(self, source: Source) -> bool:
        try:
            with source.path.open("rb") as file:
                if not _SVG.search(file.read(HEAD)):
                    return False
            return _OWN.search(read_text(source)) is not None  # other programs write SVG, too
        except (OSError, SourceError):
            return False

    def identify(self, source: Source) -> Identity:
        return Identity(f"rma.svg/{_image_of(source)}", "svg", dataset=DATASET)

    def inspect(self, source: Source, report: Report) -> None:
        report.found("drawings", source.path.stat().st_size)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        if "drawings" not in parts:
            return
        image, root = _image_of(source), _root(source)
        paths = [_path(source, report, index, *found) for index, found in enumerate(_paths(source, root))]
        size = {f"{side}_px": [_length(root.get(side))] for side in ("width", "height")}
        yield Rows(SVG_DOCUMENTS.name, {"section_image_id": [image], **size, "n_paths": [len(paths)]})
        for first in range(0, len(paths), BATCH_PATHS):
            some = paths[first : first + BATCH_PATHS]
            columns = {name: [one[name] for one in some] for name in some[0]}
            yield Rows(SVG_PATHS.name, {"section_image_id": [image] * len(some), **columns})


@dataclass(frozen=True)
class Group:
    """What groups tell of the paths in them: ids and labels are the nearest group's that has them."""

    transform: Transform
    group_id: int | None = None
    group_order: int | None = None
    graphic_group_label_id: int | None = None
    graphic_group_label: str | None = None


def _image_of(source: Source) -> int:
    """Raises SourceError where neither name nor setting tell it."""
    said = source.setting("image")
    named = _NAMED.fullmatch(PurePosixPath(unquote(urlsplit(source.url).path)).name)
    digits = said if said is not None else named[1] if named else ""
    if not (digits.isascii() and digits.isdigit() and 0 < int(digits) < 2**63):
        raise SourceError(source, None, "does not tell of which image it is", "--set image=ID tells it")
    return int(digits)


def _root(source: Source) -> ElementTree.Element:
    text = read_text(source, MAX_BYTES)
    if _ENTITY.search(text):
        raise SourceError(source, None, "declares entities, which no drawing of the API does")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise SourceError(source, None, f"is no XML: {error}") from None
    if _tag(root) != "svg":
        raise SourceError(source, None, f"is a document of {_tag(root)[:40]!r}, and no drawing")
    return root


def _paths(source: Source, root: ElementTree.Element) -> Iterator[tuple[ElementTree.Element, Group]]:
    """Paths in the order of the document, each with what its groups tell."""
    from fontTools.misc.transform import Identity as NOTHING  # here, as it is slow to import and few need it

    waiting = [(root, Group(NOTHING), 0)]
    while waiting:
        element, group, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise SourceError(source, _tag(element), f"nests deeper than {MAX_DEPTH}")
        group = replace(group, transform=group.transform.transform(_transform(source, element)))
        if _tag(element) == "path":
            yield element, group
            continue
        if _tag(element) == "g":
            group = replace(group, group_id=_whole(source, element, "id"), group_order=_whole(source, element, "order"))
            if element.get("graphic_group_label_id") or element.get("graphic_group_label"):
                group = replace(
                    group,
                    graphic_group_label_id=_whole(source, element, "graphic_group_label_id"),
                    graphic_group_label=element.get("graphic_group_label"),
                )
        waiting += [(child, group, depth + 1) for child in reversed(element) if _tag(child) in ("g", "path", "svg")]


def _path(source: Source, report: Report, index: int, path: ElementTree.Element, group: Group) -> dict[str, Any]:
    data = path.get("d", "")
    style = path.get("style")
    bounds = _bounds(data, group.transform)
    if bounds is None and data.strip():
        report.warn(f"path {index}: its geometry is none that can be followed, so nothing encloses it")
    fill = _FILL.search(style or "")
    return {
        "path_index": index,
        "path_id": _whole(source, path, "id"),
        "structure_id": _whole(source, path, "structure_id"),
        "path_order": _whole(source, path, "order"),
        "parent_id": _whole(source, path, "parent_id"),
        "group_id": group.group_id,
        "group_order": group.group_order,
        "graphic_group_label_id": group.graphic_group_label_id,
        "graphic_group_label": group.graphic_group_label,
        "path_data": data,
        "path_transform": [float(number) for number in group.transform],
        "style": style,
        "fill": path.get("fill") or (fill[1] if fill else None),
        **dict(zip(("left_px", "top_px", "right_px", "bottom_px"), bounds or (None,) * 4, strict=True)),
    }


def _bounds(data: str, transform: Transform) -> tuple[float, ...] | None:
    """Left, upper, right and lower edge of what a path draws, curves by their extremes; None where it draws nothing."""
    from fontTools.pens.boundsPen import BoundsPen
    from fontTools.pens.transformPen import TransformPen
    from fontTools.svgLib.path.parser import parse_path

    pen = BoundsPen(None)
    try:
        parse_path(data, TransformPen(pen, transform))
    except (ValueError, ArithmeticError, AssertionError, IndexError):
        return None
    found = pen.bounds
    return tuple(map(float, found)) if found and all(isfinite(edge) for edge in found) else None


def _transform(source: Source, element: ElementTree.Element) -> Transform:
    """The ``transform`` of an element: functions one after the other, each within the one before."""
    from fontTools.misc.transform import Identity as NOTHING

    text = element.get("transform", "").strip()
    functions = list(_FUNCTION.finditer(text))
    wrong = SourceError(source, _tag(element), f"has a transform that SVG does not know: {text[:60]!r}")
    if "".join(one[0] for one in functions).strip() != text:
        raise wrong
    try:
        return reduce(lambda found, one: _turned(found, one[1], _numbers(one[2])), functions, NOTHING)
    except (ValueError, TypeError, KeyError, OverflowError):
        raise wrong from None


def _turned(found: Transform, name: str, numbers: Sequence[float]) -> Transform:
    """One function of a transform within those before it. Raises KeyError, ValueError for one that is none."""
    first, *others = numbers
    if name == "matrix":
        a, b, c, d, e, f = numbers
        return found.transform((a, b, c, d, e, f))
    if name == "rotate" and len(numbers) == 3:
        x, y = others
        return found.translate(x, y).rotate(radians(first)).translate(-x, -y)
    if name == "scale":
        (y,) = others or (first,)
        return found.scale(first, y)
    if name == "translate":
        (y,) = others or (0.0,)
        return found.translate(first, y)
    if others or name not in ("rotate", "skewX", "skewY"):
        raise KeyError(name)
    angle = radians(first)
    return (
        found.rotate(angle)
        if name == "rotate"
        else found.skew(angle if name == "skewX" else 0, angle * (name == "skewY"))
    )


def _numbers(text: str) -> list[float]:
    numbers = [float(word) for word in text.replace(",", " ").split()]
    if not all(-inf < number < inf for number in numbers):
        raise ValueError(text)
    return numbers


def _whole(source: Source, element: ElementTree.Element, name: str) -> int | None:
    """An attribute that is a whole number; None where it is missing or says nothing."""
    text = (element.get(name) or "").strip()
    if not text:
        return None
    if not re.fullmatch(r"[+-]?\d{1,18}", text, re.ASCII):
        if name in ("id", "parent_id"):  # other programs name elements by words
            return None
        raise SourceError(source, f"{_tag(element)}, {name}", f"{text[:40]!r} is no whole number")
    return int(text)


def _length(text: str | None) -> float | None:
    """A length in pixels; None for one that is missing, or in another unit."""
    match = _LENGTH.fullmatch(text or "")
    return float(match[1]) if match else None


def _tag(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]


READER = SvgReader()
