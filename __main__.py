"""``python -m brainlake``: the command, where no script is on the path."""

from __future__ import annotations

from .lake.cli import main

main()
