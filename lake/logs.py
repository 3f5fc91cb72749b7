"""What brainlake does, told as it does it: for people who look for the reason of something (``--log-level``)."""

from __future__ import annotations

import logging
import sys

LEVELS = ("debug", "info", "warning", "error")
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def show_logs(level: str) -> None:
    """Tell on standard error what our own modules log, from a level upwards; a library's log stays its own."""
    logger = logging.getLogger(__package__.partition(".")[0])
    for handler in [one for one in logger.handlers if isinstance(one, _OurHandler)]:
        logger.removeHandler(handler)
    handler = _OurHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(FORMAT))
    logger.addHandler(handler)
    logger.setLevel(level.upper())


class _OurHandler(logging.StreamHandler):
    """A handler that is told apart from those of programs that use brainlake."""
