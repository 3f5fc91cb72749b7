"""A statement read word by word, by those who know what may follow."""

from __future__ import annotations

from .errors import PgError
from .lexing import Part, Token


def syntax(part: Part, token: int) -> PgError:
    if token < len(part.tokens):
        found = part.tokens[token]
        return PgError("42601", f'syntax error at or near "{found.text}"', position=part.start + found.start + 1)
    return PgError("42601", "syntax error at end of input", position=part.start + len(part.text) + 1)


class Words:
    """The tokens of a statement, taken one after the other."""

    def __init__(self, part: Part, at: int = 1) -> None:
        self.part, self.at = part, at

    @property
    def more(self) -> bool:
        return self.at < len(self.part.tokens)

    def peek(self, ahead: int = 0) -> str:
        """The next token in lower case; empty at the end."""
        at = self.at + ahead
        return self.part.tokens[at].text.lower() if at < len(self.part.tokens) else ""

    def take(self, *words: str) -> str:
        """The next token if it is one of the words (or any, where none are given), else an empty text."""
        found = self.peek()
        if found and (not words or found in words):
            self.at += 1
            return found
        return ""

    def need(self, *words: str) -> str:
        found = self.take(*words)
        if not found:
            raise syntax(self.part, self.at)
        return found

    def token(self, *kinds: str) -> Token:
        if not self.more or self.part.tokens[self.at].kind not in kinds:
            raise syntax(self.part, self.at)
        self.at += 1
        return self.part.tokens[self.at - 1]

    def name(self) -> str:
        return self.token("word", "quoted").value

    def end(self) -> None:
        if self.more:
            raise syntax(self.part, self.at)

    def rest(self) -> Part:
        """What is left, as a statement of its own, whose places are those of the whole."""
        if not self.more:
            raise syntax(self.part, self.at)
        return self.part.inner(self.at)
