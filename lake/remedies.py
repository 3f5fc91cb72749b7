"""The command that brings a source into a lake again, as it came: what damage and missing sources are answered with."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

OWN_OPTIONS = ("salvage", "told", "subset")  # of an ingest; its others are settings of its reader


def brings(subject: str, source_url: str, parts: Sequence[str], options: Mapping[str, Any]) -> str:
    """One line to paste into a shell. A user's table comes from whoever wrote it."""
    if subject.startswith("table/"):
        return shlex.join(["brainlake", "write", "FILE", "--as", subject.partition("/")[2]])
    words = ["brainlake", "ingest", source_url, "--only", ",".join(parts)]
    words += ["--salvage"] if options.get("salvage") else []
    for name, value in options.items():
        words += [] if name in OWN_OPTIONS else ["--set", f"{name}={value}"]
    return shlex.join(words)
