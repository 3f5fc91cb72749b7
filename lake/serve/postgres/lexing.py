"""The text of statements cut into tokens, as PostgreSQL and DuckDB both read them: what stands inside of quotes stays.

Only what a server has to know before DuckDB sees a text: where statements end, what they begin with, where parameters
are. It never fails: a text that is no SQL comes through whole, and DuckDB says what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

_TOKEN = re.compile(
    r"""
    (?P<space>\s+|--[^\n]*)
  | (?P<comment>/\*)
  | (?P<escaped>[eE]'(?:[^'\\]|''|\\.)*(?:'|\Z))
  | (?P<string>'(?:[^']|'')*(?:'|\Z))
  | (?P<quoted>"(?:[^"]|"")*(?:"|\Z))
  | (?P<dollar>\$(?:[A-Za-z_\x80-\U0010ffff][\w\x80-\U0010ffff]*)?\$)
  | (?P<parameter>\$\d+)
  | (?P<number>\d[\w.]*|\.\d[\w.]*)
  | (?P<word>[A-Za-z_\x80-\U0010ffff][\w$\x80-\U0010ffff]*)
  | (?P<sign>::|:=|<=|>=|<>|!=|\|\||.)
    """,
    re.VERBOSE | re.DOTALL,
)
_COMMENT_EDGE = re.compile(r"/\*|\*/")

PARAMETERS_AT_MOST = 65_535  # what the protocol can count


class Token(NamedTuple):
    """A piece of a statement: word, quoted (a name), string, parameter, number or sign; ``text`` as it stands."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def value(self) -> str:
        """What it says: a word in lower case, a name or a string without its quotes."""
        if self.kind == "word":
            return self.text.lower()
        if self.kind == "quoted":
            return self.text[1:-1].replace('""', '"')
        if self.kind == "string":
            if self.text.startswith("$"):
                tag = self.text[: self.text.index("$", 1) + 1]
                return self.text[len(tag) : -len(tag)]
            if self.text[0] in "eE":
                return _unescaped(self.text[2:-1])
            return self.text[1:-1].replace("''", "'")
        return self.text


_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def _unescaped(text: str) -> str:
    def character(found: re.Match[str]) -> str:
        code = found[1]
        if code[0] in "xuU" and len(code) > 1:
            return chr(min(int(code[1:], 16), 0x10FFFF))
        return chr(int(code, 8) & 0xFF) if code.isdigit() else _ESCAPES.get(code, code)

    pattern = r"\\(x[0-9a-fA-F]{1,2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{1,3}|.)"
    return re.sub(pattern, character, text.replace("''", "'"), flags=re.DOTALL)


def tokens(text: str) -> Iterator[Token]:
    """Everything but white space and comments, which nest."""
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:  # cannot be: the last alternative takes any character
            return
        kind, start, at = str(found.lastgroup), at, found.end()
        if kind == "comment":
            at = _end_of_comment(text, at)
        elif kind == "dollar":
            end = text.find(found[0], at)
            at = len(text) if end < 0 else end + len(found[0])
            yield Token("string", text[start:at], start, at)
        elif kind == "escaped":
            yield Token("string", found[0], start, at)
        elif kind != "space":
            yield Token(kind, found[0], start, at)


def _end_of_comment(text: str, at: int) -> int:
    depth = 1
    for edge in _COMMENT_EDGE.finditer(text, at):
        depth += 1 if edge[0] == "/*" else -1
        if not depth:
            return edge.end()
    return len(text)


class Part(NamedTuple):
    """One statement of a text that may hold several: its tokens, and where it begins in the text."""

    text: str
    start: int
    tokens: tuple[Token, ...]

    def words(self, n: int) -> list[str]:
        """The first tokens, as words in lower case."""
        return [t.text.lower() for t in self.tokens[:n]]

    def inner(self, first: int, behind: int | None = None) -> Part:
        """The tokens from one to (not including) another as a statement of its own; places are those of the text."""
        found = self.tokens[first:behind]
        if not found:
            return Part("", self.start, ())
        start, end = found[0].start, found[-1].end
        moved = tuple(t._replace(start=t.start - start, end=t.end - start) for t in found)
        return Part(self.text[start:end], self.start + start, moved)


def split(text: str) -> list[Part]:
    """The statements of a text, without the semicolons between them; empty ones are left out."""
    parts: list[Part] = []
    found: list[Token] = []
    for token in tokens(text):
        if token.kind == "sign" and token.text == ";":
            parts.append(_part(text, found))
            found = []
        else:
            found.append(token)
    parts.append(_part(text, found))
    return [part for part in parts if part.tokens]


def _part(text: str, found: list[Token]) -> Part:
    return Part(text, 0, tuple(found)).inner(0)


class Edited(NamedTuple):
    """A text in which parameters were replaced, and how to find a place of it in the original."""

    text: str
    edits: tuple[tuple[int, int, int], ...]  # where in the new text, its length there, and in the original

    def original(self, at: int) -> int:
        """Where a place in the new text was."""
        shift = 0
        for start, new, old in self.edits:
            if at < start:
                break
            if at < start + new:
                return start + shift
            shift += old - new
        return at + shift


def with_parameters(part: Part, replace: Callable[[int], str]) -> Edited:
    """A statement with each ``$n`` replaced by what ``replace(n)`` gives."""
    pieces, edits, last, length = [], [], 0, 0
    for token in part.tokens:
        if token.kind == "parameter":
            new = replace(int(token.text[1:]))
            pieces += [part.text[last : token.start], new]
            length += token.start - last
            edits.append((length, len(new), token.end - token.start))
            length += len(new)
            last = token.end
    return Edited("".join(pieces) + part.text[last:], tuple(edits))


def parameters(part: Part) -> int:
    """The highest number among a statement's parameters; 0 without any."""
    numbers = [int(t.text[1:]) for t in part.tokens if t.kind == "parameter" and len(t.text) <= 6]
    return max(numbers, default=0)
