"""SWC files: reconstructed neurons as nodes, each with its parent. One file is one reconstruction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from .contract import Identity, Part, Report, Rows, Source, made_id
from .heads import read_head
from .swc_text import SwcText, kind_of, looks_like_markers, looks_like_nodes, named, read_swc


class SwcReader:
    """Reader of SWC files. A tree that breaks rules is taken as it is: ``morphology.validation`` says which."""

    name = "swc"
    version = "1"
    parts: Sequence[Part] = (Part("morphology", "nodes of the reconstruction"),)

    def sniff(self, source: Source) -> bool:
        head = read_head(source, 1 << 16)
        if not head or b"\0" in head or looks_like_markers(head):
            return False
        # A name that promises nodes is taken at its word, so that a damaged file is told what is wrong with it.
        return looks_like_nodes(head) or source.path.suffix.lower() == ".swc"

    def identify(self, source: Source) -> Identity:
        return Identity(f"morphology.reconstruction/{_id(read_swc(source))}", "swc")

    def inspect(self, source: Source, report: Report) -> None:
        report.found("morphology", source.path.stat().st_size)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        if "morphology" not in parts:
            return
        swc = read_swc(source)
        if swc.strict_complaint:
            report.warn(f"strict SWC readers refuse it: {swc.strict_complaint}")
        columns = swc.columns()
        facts = {
            "morphology_id": _id(swc),
            **named(source),
            "kind": kind_of(source),
            "n_nodes": len(swc),
            "comments": swc.comments,
            "is_strict": swc.strict_complaint is None,
            "strict_complaint": swc.strict_complaint,
            "sha256": swc.sha256,
        }
        yield Rows("morphology.swc_files", {name: [value] for name, value in facts.items()})
        nodes = {name: [values] for name, values in columns.items()}
        yield Rows("morphology.swc_nodes", {"morphology_id": [facts["morphology_id"]], **nodes})


def _id(swc: SwcText) -> int:
    return made_id(swc.sha256, "swc")


READER = SwcReader()
