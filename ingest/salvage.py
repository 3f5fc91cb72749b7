"""Taking what is consistent of a damaged source."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from ..lake.errors import SourceError
from .contract import Report


@contextlib.contextmanager
def salvaging(report: Report) -> Iterator[None]:
    """What is read within is one object: where the source is salvaged, a damaged one is reported and left out.

    The object's rows must not have begun when its damage is met, or a part of it would be taken.
    """
    try:
        yield
    except SourceError as error:
        if not report.salvage:
            raise
        report.skip(error.where or "/", error.reason)
