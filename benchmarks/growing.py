"""What happens as a lake grows: from 1 M to 100 M spikes (to 1,000 M on request), and to 10,000 ingests."""

from __future__ import annotations

import brainlake

from .material import SESSION_ID, Material
from .measure import Row, milliseconds, within

MILLION = 1_000_000


def growth(material: Material, n_sessions: tuple[int, ...] = (1, 10, 100)) -> list[Row]:
    """Sessions of 1 M spikes each: one unit's window must stay flat, scans at most linear."""
    rows: list[Row] = []
    first: tuple[float, float] | None = None
    unit = material.truth(MILLION).units[10].unit_id
    for n in n_sessions:
        middle = n // 2
        with brainlake.open(material.copies(MILLION, n)) as lake:
            one = f"""
                select count(*) from ecephys.spikes
                where session_id = {SESSION_ID + middle} and unit_id = {unit + middle * 100_000}
                  and spike_time >= 1000 and spike_time < 1600"""
            scan = "select unit_id, count(*) from ecephys.spikes where spike_time % 1.0 < 0.5 group by all"
            window = milliseconds(lambda: lake.sql(one).arrow())  # noqa: B023
            scanned = milliseconds(lambda: lake.sql(scan).arrow(), 3)  # noqa: B023
        first = first or (window, scanned)
        factor = n / n_sessions[0]
        rows.append(
            Row(
                f"one unit, 600 s, of {n:,} M spikes",
                window,
                target="flat",
                ok=window <= max(20, 1.5 * first[0]),
            )
        )
        linear = scanned <= 1.2 * factor * first[1]
        rows.append(Row(f"a scan of {n:,} M spikes", scanned, target="at most linear", ok=linear))
    return rows


def billion(material: Material) -> list[Row]:
    """The same to 1,000 sessions: 6 GB of disk, half an hour to make."""
    return growth(material, (1, 100, 1000))


def many_ingests(material: Material, n: int = 10_000) -> list[Row]:
    """Small ingests, each a session of 24 units: opening and one session's question must not feel them."""
    root = material.copies(5_000, n)
    middle = SESSION_ID + n // 2

    def open_and_ask() -> None:
        with brainlake.open(root) as lake:
            lake.sql(f"select count(*) from ecephys.units where session_id = {middle}").arrow()

    with brainlake.open(root) as lake:
        n_files = lake.sql("select count(*)::bigint as n from lake.files").one().n
        units = milliseconds(lambda: lake.sql(f"from ecephys.nwb_units where session_id = {middle}").arrow())
        spikes = milliseconds(lambda: lake.sql(f"select * from ecephys.spikes where session_id = {middle}").arrow())
    return [
        within(f"open and first query, {n:,} ingests in {n_files:,} files", milliseconds(open_and_ask, 5), 300),
        within("one session's units", units, 20),
        within("one session's spikes", spikes, 20),
    ]
