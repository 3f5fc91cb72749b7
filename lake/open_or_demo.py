"""A lake to follow a notebook with: the reader's own, or the demo's, made at the first call."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import BrainlakeError

if TYPE_CHECKING:
    from .facade import Lake


def open_or_demo(directory: str | os.PathLike[str] = "demo") -> Lake:
    """The lake that $BRAINLAKE names; where it names none, the demo lake in ``directory``, made if it is not there.

    A demo in the same folder one level up counts too: notebooks lie a level below where ``make demo`` makes it.

    Raises BrainlakeError where $BRAINLAKE names no lake, or the demo cannot be made.
    """
    from .opening import open as open_lake

    if os.environ.get("BRAINLAKE"):
        return open_lake()
    wanted = Path(directory)
    for place in (wanted, Path("..") / wanted):
        if (place / "lake" / "catalog.sqlite").exists():
            return open_lake(place / "lake")
    # In a process of its own: it draws pictures, whose settings are none of the caller's.
    command = [sys.executable, "-m", "brainlake", "demo", str(wanted)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        raise BrainlakeError(f"the demo lake cannot be made: {made.stderr.strip() or made.stdout.strip()}")
    return open_lake(wanted / "lake")
