"""Answers of the API in XML, as the records that JSON would give (spec: api 2.2).

Names have dashes for underscores; ``nil="true"`` is null; an element whose children are all called by its singular is a
list. Values stay text. Nothing that a document declares (DOCTYPE, entities) is followed: it is refused.
"""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree

from ..lake.errors import SourceError
from .contract import Source
from .json_source import read_text

MAX_DEPTH = 64
_DECLARES = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_ROOT = re.compile(r"\s*(?:<\?xml[^>]*\?>)?\s*(?:<!--.*?-->\s*)*<([A-Za-z][\w-]*)", re.DOTALL)


def root_of(head: bytes) -> str | None:
    """The name of a document's outermost element, from its first bytes; None where it is no XML."""
    match = _ROOT.match(head.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace"))
    return match[1] if match else None


def read_records(source: Source) -> tuple[str, list[dict[str, Any]]]:
    """The singular name of the records, and the records: those of an answer (``Response``), or the one of a document.

    Raises SourceError where it is no such document, or the answer says that it failed.
    """
    text = read_text(source)
    if _DECLARES.search(text):
        raise SourceError(source, None, "declares types or entities, which no answer of the API does")
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as error:
        raise SourceError(source, None, f"is no XML: {error}") from None
    if root.tag != "Response":
        return _name(root.tag), [_record(source, root, 1)]
    if root.get("success") != "true":
        raise SourceError(
            source, None, f"is an answer that failed: {(root.text or '').strip()[:200] or 'no reason given'}"
        )
    lists = list(root)
    if len(lists) != 1 or len({child.tag for child in lists[0]}) > 1:
        raise SourceError(source, "Response", "holds no one list of records")
    records = [_record(source, child, 1) for child in lists[0]]
    return _name(lists[0][0].tag) if records else "", records


def _record(source: Source, element: ElementTree.Element, depth: int) -> dict[str, Any]:
    if depth > MAX_DEPTH:
        raise SourceError(source, element.tag, f"nests deeper than {MAX_DEPTH}")
    record: dict[str, Any] = {}
    for child in element:
        name = _name(child.tag)
        if name in record:
            raise SourceError(source, element.tag, f"names {name} twice")
        record[name] = _value(source, child, depth + 1)
    return record


def _value(source: Source, element: ElementTree.Element, depth: int) -> Any:
    if element.get("nil") == "true":
        return None
    if not len(element):
        return [] if element.get("type") == "array" else element.text
    tags = {child.tag for child in element}
    if element.get("type") == "array" or (len(tags) == 1 and _is_plural(element.tag, tags.pop())):
        return [_record(source, child, depth) for child in element]
    return _record(source, element, depth)


def _is_plural(plural: str, singular: str) -> bool:
    return plural in (f"{singular}s", f"{singular}es", f"{singular.removesuffix('y')}ies")


def _name(tag: str) -> str:
    return tag.replace("-", "_")
