"""One session out of a lake of 1,000: its copy takes the time and the room of one."""

from __future__ import annotations

import shutil
from pathlib import Path

import brainlake

from .material import SESSION_ID, Material
from .measure import Row, faster, seconds, within

SPIKES = 50_000


def copying(material: Material, n_sessions: int = 1_000) -> list[Row]:
    """A subset of one session from a lake of one and of many, beside copying all of it as files."""
    one, many = material.copies(SPIKES, 1), material.copies(SPIKES, n_sessions)
    middle = SESSION_ID + n_sessions // 2
    small, small_ms, _ = _subset(material.directory, one, SESSION_ID)
    large, large_ms, answered = _subset(material.directory, many, middle)
    with brainlake.open(many) as lake:
        expected = _answers(lake, middle)
    assert answered == expected, "the subset answers otherwise"
    plain = material.directory / "plain_copy"
    shutil.rmtree(plain, ignore_errors=True)
    plain_s, _ = seconds(lambda: shutil.copytree(many, plain))
    all_s, all_ = seconds(lambda: _whole(many, material.directory / "copied"))
    for left in (plain, material.directory / "copied"):
        shutil.rmtree(left)
    return [
        Row("one session of a lake of one, room", small / 1e6, "MB"),
        within(f"one session of {n_sessions:,}, room", large / 1e6, 1.2 * small / 1e6, "MB"),
        Row("one session of a lake of one, time", small_ms),
        within(f"one session of {n_sessions:,}, time", large_ms, small_ms + 2_000),
        faster(f"one session of {n_sessions:,} against copying all of it", large_ms, plain_s * 1e3, "copytree"),
        faster(f"all {n_sessions:,}, digests compared and synced", all_s * 1e3, plain_s * 1e3, "copytree"),
        Row("all of it, room", all_ / 1e6, "MB"),
    ]


def _subset(folder: Path, root: Path, session: int) -> tuple[int, float, list[tuple[object, ...]]]:
    """Bytes of a subset, the time that making it takes, and what it answers."""
    times = []
    for _ in range(3):
        to = folder / "subset"
        shutil.rmtree(to, ignore_errors=True)
        with brainlake.open(root) as lake:
            took, _ = seconds(lambda: lake.copy(to, where=f"session_id = {session}"))  # noqa: B023
        times.append(took * 1e3)
    size = sum(path.stat().st_size for path in to.rglob("*") if path.is_file())
    with brainlake.open(to) as subset:
        answers = _answers(subset, session)
    shutil.rmtree(to)
    return size, sorted(times)[1], answers


def _answers(lake: brainlake.Lake, session: int) -> list[tuple[object, ...]]:
    units = lake.sql("select unit_id, snr from ecephys.units where session_id = ? order by all", [session]).pl()
    spikes = lake.sql(
        "select unit_id, count(*), min(spike_time), max(spike_time) from ecephys.spikes where session_id = ? "
        "group by all order by all",
        [session],
    ).pl()
    return units.rows() + spikes.rows()


def _whole(root: Path, to: Path) -> int:
    with brainlake.open(root) as lake:
        return lake.copy(to).size_bytes
