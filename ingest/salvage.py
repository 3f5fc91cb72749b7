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
        leave_out(error, report)


def leave_out(error: SourceError, report: Report) -> None:
    """Report a damaged object, once however often it is met; raise the error where the source is not salvaged."""
    if not report.salvage:
        raise error
    left_out = (error.where or "/", error.reason)
    if left_out not in report.skipped:
        report.skip(*left_out)
