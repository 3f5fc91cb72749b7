"""Statements as text: what only PostgreSQL's parser takes is taken out; what stands for the client is found."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import accumulate

from ..postgres.lexing import Token
from .vocabulary import CALLS, CASTS, WORDS

_HEX = re.compile(r"\\x(?:[0-9a-fA-F]{2})*")  # how PostgreSQL writes bytes


@dataclass(frozen=True)
class Mention:
    """A place in a question to the lake that stands for something of the client, or is written as DuckDB does not.

    function, given : what is called there with which arguments; "bytea": bytes, in hexadecimal
    is_column : it is a column of the result, which is called as the function
    """

    start: int
    end: int
    function: str
    given: tuple[str, ...] = ()
    is_column: bool = False


@dataclass(frozen=True)
class LakeQuestion:
    """A question to the lake with mentions of the client."""

    mentions: tuple[Mention, ...]


def spliced(sql: str, cut: list[Token]) -> str:
    """The text without what only PostgreSQL's parser takes: ``pg_catalog.``, ``OPERATOR(...)``, types of its own."""
    pieces: list[str] = []
    kept, i = 0, 0

    def put(text: str, start: int, end: int) -> None:
        nonlocal kept
        pieces.extend((sql[kept:start], text))
        kept = end

    while i < len(cut):
        token = cut[i]
        ahead = [t.value for t in cut[i : i + 3]]
        after_cast = i > 0 and cut[i - 1].text == "::"
        if token.text == "::":
            i += 1
            continue
        if ahead[1:2] == ["."] and ahead[0] in ("pg_catalog", "information_schema"):
            is_type = (after_cast or ahead[0] == "pg_catalog") and not (i > 0 and cut[i - 1].text == ".")
            if is_type and len(ahead) == 3:
                name = CASTS.get(ahead[2]) if after_cast and ahead[0] == "information_schema" else None
                put(name or "", token.start, cut[i + 2].end if name else cut[i + 2].start)
                i += 3
                continue
        if after_cast and ahead[0] in CASTS and ahead[1:2] == ["["]:
            put(CASTS[ahead[0]], token.start, token.end)
        elif ahead[:2] == ["operator", "("]:
            end = next((j for j in range(i + 2, len(cut)) if cut[j].text == ")"), len(cut) - 1)
            names = [j for j in range(i + 2, end) if cut[j].text == "."]
            first = names[-1] + 1 if names else i + 2
            put(f" {sql[cut[first].start : cut[end].start]} ", token.start, cut[end].end)
            i = end
        i += 1
    return "".join((*pieces, sql[kept:]))


def mentioning(cut: list[Token]) -> LakeQuestion | None:
    """The places in a question to the lake that stand for the client."""
    found = []
    depths = [0, *accumulate((t.text == "(") - (t.text == ")") for t in cut)]  # before each token
    for i, token in enumerate(cut):
        name, start = token.value, i
        if token.kind == "string" and [t.text.lower() for t in cut[i + 1 : i + 3]] == ["::", "bytea"]:
            if _HEX.fullmatch(name):
                found.append(Mention(token.start, cut[i + 2].end, "bytea", (name[2:],)))
            continue
        if token.kind != "word" or name not in CALLS:
            continue
        if i > 0 and cut[i - 1].text == ".":
            if i < 2 or cut[i - 2].value != "pg_catalog" or (i > 2 and cut[i - 3].text == "."):
                continue
            start = i - 2
        if i > 0 and cut[i - 1].value in ("as", "::"):
            continue
        end, given = i, _arguments(cut, i + 1)
        if given is not None:
            end, arguments = given
        elif name in WORDS and not (i + 1 < len(cut) and cut[i + 1].text in (".", "(")):
            arguments = ()
        else:
            continue
        before, after = (cut[at].text.lower() if 0 <= at < len(cut) else "" for at in (start - 1, end + 1))
        is_column = (
            not depths[start] and before in ("select", ",") and after in ("", ",", "from", "union", "limit", "where")
        )
        found.append(Mention(cut[start].start, cut[end].end, name, arguments, is_column))
    return LakeQuestion(tuple(found)) if found else None


def _arguments(cut: list[Token], at: int) -> tuple[int, tuple[str, ...]] | None:
    """Where a call ends whose arguments are constants, and these."""
    if at >= len(cut) or cut[at].text != "(":
        return None
    given: list[str] = []
    for i in range(at + 1, len(cut)):
        if cut[i].text == ")":
            return i, tuple(given)
        if cut[i].text == ",":
            continue
        if cut[i].kind not in ("string", "word"):
            return None
        given.append(cut[i].value)
    return None
