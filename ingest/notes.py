"""Warnings that many objects share: said once, however many there are."""

from __future__ import annotations

from .contract import Report

_NAMED = 3  # objects that a warning names; of the others it says how many they are


class Notes:
    """What is to be said of objects, by reason; told to the report at the end."""

    def __init__(self) -> None:
        self._objects: dict[str, list[str]] = {}

    def add(self, where: str, reason: str) -> None:
        """``where`` is the object, ``reason`` what is said of it: together a sentence."""
        self._objects.setdefault(reason, []).append(where)

    def tell(self, report: Report) -> None:
        for reason, objects in self._objects.items():
            others = objects[1:_NAMED]
            more = len(objects) - 1 - len(others)
            also = f" (as well as {', '.join(others)}{f' and {more:,} more' if more else ''})" if others else ""
            report.warn(f"{objects[0]} {reason}{also}")
