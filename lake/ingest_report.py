"""What an ingest run tells: an item for each source, in words for people."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from .errors import BrainlakeError

Status = Literal["ingested", "replaced", "unchanged", "failed", "inspected", "left out"]
Progress = Callable[[str, str, int, int], None]  # (source, what, done, total)


@dataclass(frozen=True)
class Item:
    """What became of one source."""

    source: str
    status: Status
    subject: str | None = None
    role: str | None = None
    reader: str | None = None
    ingest_id: int | None = None
    snapshot_id: int | None = None
    n_rows: dict[str, int] = field(default_factory=dict)
    size_bytes: int = 0
    available: dict[str, int] = field(default_factory=dict)  # part -> bytes in the source
    parts: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()  # parts that nobody asked for, taken because they were here
    gone: tuple[str, ...] = ()  # parts that were here and no longer are
    skipped: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    error: str | None = None
    is_defect: bool = False  # the failure is ours, not the source's
    seconds: float = 0.0

    @property
    def line(self) -> str:
        """One line for people."""
        if self.status == "failed":
            return f"failed     {self.error}"
        if self.status == "left out":
            return f"left out   {self.source}: no reader knows what it holds"
        if self.status == "inspected":
            found = ", ".join(
                f"{part} {size / 1e6:,.1f} MB{'' if part in self.parts else ' (not taken)'}"
                for part, size in self.available.items()
            )
            gone = f"; would no longer be here: {', '.join(self.gone)}" if self.gone else ""
            return f"would take {self.source} as {self.subject} ({self.role}): {found}{gone}"
        what = f"{self.status:<10} {self.source} as {self.subject} ({self.role})"
        if self.status == "unchanged":
            return what
        notes = [f"{sum(self.n_rows.values()):,} rows in {len(self.n_rows)} tables, {self.seconds:.1f} s"]
        notes += [f"{', '.join(self.kept)} as before"] if self.kept else []
        notes += [f"no longer here: {', '.join(self.gone)}"] if self.gone else []
        notes += [f"left out {len(self.skipped)}"] if self.skipped else []
        return f"{what}: {'; '.join(notes)}"


@dataclass(frozen=True)
class IngestReport:
    """What became of every source of a run. ``notes`` tell of upkeep that could not be done, which loses nothing."""

    items: tuple[Item, ...]
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> tuple[Item, ...]:
        return tuple(item for item in self.items if item.status == "failed")

    def summary(self) -> str:
        """A line a source, then the totals."""
        counts = {s: sum(i.status == s for i in self.items) for s in dict.fromkeys(i.status for i in self.items)}
        total = ", ".join(f"{n} {status}" for status, n in counts.items()) or "nothing to do"
        return "\n".join([*(item.line for item in self.items), total])

    def raise_failed(self) -> None:
        """Raise the first failure, if there is one."""
        for item in self.failed:
            raise BrainlakeError(item.error)
