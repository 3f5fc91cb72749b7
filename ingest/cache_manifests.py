"""Manifests of the Allen SDK's caches: which cache a file is the manifest of, and which files it names (spec: api 2.10.2, 2.10.3).

A manifest holds nothing but places: what lies there is known by its content, as in any folder.
"""

from __future__ import annotations

import glob
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Of each cache, keys that its manifest has and no other's; a cache that holds another's too comes before it.
CACHES: Mapping[str, frozenset[str]] = {
    "Brain Observatory": frozenset({"EXPERIMENT_CONTAINERS", "EXPERIMENT_DATA"}),
    "Cell Types": frozenset({"CELLS", "EPHYS_DATA"}),
    "Mouse Connectivity": frozenset({"EXPERIMENTS", "STRUCTURE_UNIONIZES"}),
    "Reference Space": frozenset({"STRUCTURE_TREE", "REFERENCE_SPACE_VERSION"}),
    "Neuropixels": frozenset({"sessions", "session_nwb"}),
}
MAX_BYTES = 1 << 20
_FILLED_IN = re.compile(r"%[ds]")


@dataclass(frozen=True)
class CacheManifest:
    """A manifest at hand: the cache it is of, and its entries."""

    path: Path
    cache: str
    entries: tuple[Mapping[str, Any], ...]

    def files(self) -> list[Path]:
        """Those of the files it names that are there, each once, in the order of their names."""
        patterns = (self._pattern(one) for one in self.entries if one.get("type") == "file")
        found = {Path(name) for pattern in patterns for name in glob.glob(str(pattern))}
        return sorted(path.absolute() for path in found if path.is_file())

    def _pattern(self, entry: Mapping[str, Any]) -> Path:
        """A path with ``*`` for what is filled in. What has a parent lies below it, though it begins with a slash."""
        by_key = {one["key"]: one for one in self.entries if "key" in one}
        steps, seen = [str(entry.get("spec", ""))], {entry.get("key")}
        while (parent := by_key.get(entry.get("parent_key"))) is not None and parent.get("key") not in seen:
            steps = [str(parent.get("spec", "")), *(step.lstrip("/") for step in steps)]
            entry = parent
            seen.add(parent.get("key"))
        folder = Path(glob.escape(str(self.path.parent)))
        return folder.joinpath(*(_FILLED_IN.sub("*", glob.escape(step)) for step in steps))


def read(path: Path) -> CacheManifest | None:
    """The manifest that a file is; None where it is none of a cache."""
    try:
        if path.suffix.lower() != ".json" or path.stat().st_size > MAX_BYTES:
            return None
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return None
    cache = cache_of(found)
    return CacheManifest(path, cache, tuple(found["manifest"])) if cache else None


def cache_of(found: Any) -> str | None:
    """The cache that a document is the manifest of: it holds nothing else."""
    entries = found.get("manifest") if isinstance(found, dict) and set(found) == {"manifest"} else None
    if not isinstance(entries, list) or not all(isinstance(one, dict) for one in entries):
        return None
    keys = {one.get("key") for one in entries if isinstance(one.get("key"), str)}
    return next((name for name, needs in CACHES.items() if needs <= keys), None)
