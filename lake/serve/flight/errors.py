"""Errors as clients of Flight SQL are told them: one clean sentence, of the kind that they know how to take."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.flight as flight

from ...errors import AbsentError, BrainlakeError, NotAdmittedError, SnapshotExpired, UnknownError
from .answers import LimitError, StoppedError, TookTooLongError
from .held import GoneError, TooManyError
from .wire import MalformedError

Function = TypeVar("Function", bound=Callable[..., Any])

_TOLD: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Callable[[str], Exception]], ...] = (
    (StoppedError, flight.FlightCancelledError),
    (TookTooLongError, flight.FlightTimedOutError),
    (LimitError, pa.ArrowInvalid),
    (NotAdmittedError, flight.FlightUnauthorizedError),
    ((AbsentError, UnknownError, SnapshotExpired, GoneError), pa.lib.ArrowKeyError),
    (TooManyError, flight.FlightUnavailableError),
    (MalformedError, pa.ArrowInvalid),
    (NotImplementedError, pa.lib.ArrowNotImplementedError),
)


def as_flight(error: BaseException, lake: Path, log: Callable[[str], None]) -> Exception:
    """An error as a client is told it: without the place of the lake, and of a defect no more than that it is one."""
    text = str(error).replace(f"{lake}/", "").replace(str(lake), "the lake")
    if isinstance(error, flight.FlightError):
        return error
    for kinds, told in _TOLD:
        if isinstance(error, kinds):
            return told(text)
    if isinstance(error, BrainlakeError) and error.exit_code == 1:
        return pa.ArrowInvalid(text)
    if os.environ.get("BRAINLAKE_TRACEBACK"):
        traceback.print_exception(error)
    log(f"a defect or damage: {type(error).__name__}: {text if isinstance(error, BrainlakeError) else ''}")
    if isinstance(error, BrainlakeError):
        return flight.FlightInternalError(text)
    return flight.FlightInternalError(f"a defect of brainlake ({type(error).__name__}): please report it")


def unplaced(function: Function) -> Function:
    """A function of which tracebacks, which pyarrow sends along with some errors, show neither folder nor code."""
    function.__code__ = function.__code__.replace(co_filename="<brainlake>")
    return function
