"""What was found out about a text, for the next time that it is asked: programs ask the same few questions again and again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

V = TypeVar("V")

MOST_CHARACTERS = 20_000  # a longer text is asked once
ENTRIES = 256


class Remembered(Generic[V]):
    """The latest answers about texts. Threads may ask at once."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, Hashable], V] = OrderedDict()
        self._changing = threading.Lock()

    def get(self, text: str, find_out: Callable[[], V], also: Hashable = None) -> V:
        """What is known of a text; found out where nothing is. What raises is not remembered.

        also : what the answer depends on beside the text
        """
        key = text, also
        with self._changing:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        found = find_out()
        if len(text) <= MOST_CHARACTERS:
            with self._changing:
                self._known[key] = found
                if len(self._known) > ENTRIES:
                    self._known.popitem(last=False)
        return found
