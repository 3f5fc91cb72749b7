"""What a lake must hold after any of the commits of :mod:`.soak`: a dictionary, and what each commit does to it."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PART_OF = {"trains": "spikes", "layers": "unit_layers"}
NOT_OURS = ("lake created", "fold ")  # messages of commits that change no answer


@dataclass
class Model:
    """What a lake must hold: subject -> what is here of it, at which version; users' tables likewise."""

    subjects: dict[int, dict[str, int]] = field(default_factory=dict)
    tables: dict[int, int] = field(default_factory=dict)

    def apply(self, change: dict[str, Any]) -> None:
        kind, number = change["kind"], change["number"]
        if kind == "ingest":
            self.subjects[number] = dict.fromkeys(change["what"], change["version"])
        elif kind == "forget":
            for what in change["what"]:
                self.subjects.get(number, {}).pop(what, None)
            if not self.subjects.get(number):
                self.subjects.pop(number, None)
        elif kind == "write":
            self.tables[number] = change["version"]
        elif kind == "forget table":
            self.tables.pop(number, None)

    def trains(self) -> list[tuple[int, int, int, float]]:
        """Rows of ``unit_spike_trains``: session, unit, spikes, first spike."""
        return [
            (number, unit, n_spikes(held["trains"]), float(held["trains"] * 100))
            for number, held in sorted(self.subjects.items())
            if "trains" in held
            for unit in units_of(number)
        ]

    def layers(self) -> list[tuple[int, int]]:
        return [
            (unit, held["layers"])
            for number, held in sorted(self.subjects.items())
            if "layers" in held
            for unit in units_of(number)
        ]

    def parts(self) -> list[tuple[str, str]]:
        return sorted(
            (f"ecephys.session/{number}", PART_OF[what]) for number, held in self.subjects.items() for what in held
        )


def units_of(number: int) -> list[int]:
    return [number * 10 + i for i in range(3)]


def n_spikes(version: int) -> int:
    return 3 + version % 5


class Journal:
    """What processes mean to do (before they do it), which commits there were, and what went wrong."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._changes: dict[str, dict[str, Any]] = {}
        self._read: Counter[str] = Counter()

    def mean(self, change: dict[str, Any]) -> str:
        """Note a change before it is made; returns the message that its commit must have."""
        token = f"soak {os.getpid()}.{time.monotonic_ns()}"
        self._append(f"meant.{os.getpid()}", change | {"token": token})
        return token

    def note(self, file: str, **facts: Any) -> None:
        self._append(file, facts)

    def _append(self, file: str, facts: dict[str, Any]) -> None:
        with (self.folder / file).open("a") as out:
            out.write(json.dumps(facts) + "\n")

    def lines(self, pattern: str) -> Iterator[dict[str, Any]]:
        """Whole lines that were not yet read by this object."""
        for path in sorted(self.folder.glob(pattern)):
            with path.open() as file:
                file.seek(self._read[path.name])
                for line in iter(file.readline, ""):
                    if not line.endswith("\n"):
                        break
                    self._read[path.name] += len(line)
                    yield json.loads(line)

    def change(self, message: str) -> dict[str, Any] | None:
        """What a commit's message stands for; None for one that changes no answer."""
        if message.startswith(NOT_OURS):
            return None
        if message not in self._changes:
            self._changes |= {change["token"]: change for change in self.lines("meant.*")}
        return self._changes[message]


class Truth:
    """The model at any snapshot."""

    def __init__(self, journal: Journal) -> None:
        self._journal, self._model, self._messages = journal, Model(), dict[int, str]()
        self._history: dict[int, str] = {}  # snapshot -> the model there, as JSON
        self._next = 0

    def at(self, snapshot: int, naps: int = 600) -> Model:
        """The model there; waits until its commit is noted, by so many naps (the machine may stop us, and the clock not)."""
        while self._next <= snapshot:
            self._messages |= {line["snapshot"]: line["message"] for line in self._journal.lines("commits")}
            while self._next in self._messages:
                if change := self._journal.change(self._messages.pop(self._next)):
                    self._model.apply(change)
                self._history[self._next] = json.dumps(
                    [list(self._model.subjects.items()), list(self._model.tables.items())]
                )
                self._next += 1
            if self._next <= snapshot:
                assert naps, f"nobody told of the commit that made snapshot {self._next}"
                naps -= 1
                time.sleep(0.05)
        subjects, tables = json.loads(self._history[snapshot])
        return Model(dict(subjects), dict(tables))
