"""What a client says of itself in its first message."""

from __future__ import annotations

import re

from .errors import PgError
from .messages import Reader


def pairs(body: Reader) -> dict[str, str]:
    """The parameters of a startup message."""
    found: dict[str, str] = {}
    while name := body.string():
        found[name] = body.string()
    body.end()
    return found


_OPTION = re.compile(r"-c\s*((?:\\.|[^\s\\])+)|--((?:\\.|[^\s\\])+)|(\S+)", re.DOTALL)


def options_of(text: str) -> dict[str, str]:
    """Settings as a command line gives them: ``-c name=value --name=value``, with backslashes before spaces."""
    found: dict[str, str] = {}
    for option in _OPTION.finditer(text):
        written = option[1] or option[2] or ""
        name, equals, value = re.sub(r"\\(.)", r"\1", written, flags=re.DOTALL).partition("=")
        if option[3] or not equals:
            raise PgError("42601", "options are settings here: -c name=value", fatal=True)
        found[name.replace("-", "_")] = value
    return found
