"""Sessions of a server: shared by who looks at the same snapshot, there as long as somebody does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import brainlake
import pyarrow as pa
import pytest
from brainlake.lake.errors import CatalogError, SnapshotExpired, UnknownError
from brainlake.lake.serve.snapshots import Lease, Snapshots
from brainlake.lake.states import LakeState

COUNT = "select count(*) as n from lab.rows"
Write = Callable[[int], int]


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[brainlake.Lake]:
    with brainlake.create(tmp_path / "lake") as lake:
        yield lake


@pytest.fixture
def write(lake: brainlake.Lake) -> Write:
    """Makes lab.rows of so many rows, and tells the snapshot."""

    def do(n: int) -> int:
        lake.write("lab.rows", pa.table({"n": pa.array(range(n), pa.int64())}), key="n")
        return lake.snapshot

    return do


def count(lease: Lease) -> int:
    return int(lease.session.sql(COUNT).one().n)


def test_leases_of_one_snapshot_share_a_session(lake: brainlake.Lake, write: Write) -> None:
    write(1)
    with Snapshots(lake.path) as snapshots, snapshots.lease() as a, snapshots.lease() as b:
        assert a.session is b.session
        write(2)
        assert (count(a), count(b)) == (1, 1)
        assert a.refresh() == lake.snapshot
        assert (count(a), count(b)) == (2, 1)  # each moves when it says so
        b.refresh()
        assert a.session is b.session
        assert b.refresh() == b.snapshot_id == lake.snapshot  # nothing new


def test_a_lease_by_number_tag_or_time_stays(lake: brainlake.Lake, write: Write) -> None:
    old = write(1)
    lake.tag("first")
    write(2)
    with Snapshots(lake.path) as snapshots, snapshots.lease(old) as a, snapshots.lease("first") as b:
        assert a.session is b.session
        assert a.pinned
        assert a.refresh() == old
        assert count(a) == 1
        a.move(None)
        assert (count(a), a.pinned) == (2, False)
        a.move("first")
        assert (count(a), a.pinned) == (1, True)
        with pytest.raises(UnknownError, match="no snapshot 99"):
            snapshots.lease(99)


def test_a_server_may_be_pinned_as_a_whole(lake: brainlake.Lake, write: Write) -> None:
    old = write(1)
    write(2)
    with Snapshots(lake.path, old) as snapshots, snapshots.lease() as lease:
        assert (count(lease), lease.refresh()) == (1, old)
        lease.move(lake.snapshot)
        assert count(lease) == 2
        lease.move(None)
        assert count(lease) == 1


def test_what_is_read_keeps_its_snapshot_while_its_client_moves_on(lake: brainlake.Lake, write: Write) -> None:
    write(1)
    with Snapshots(lake.path) as snapshots, snapshots.lease() as lease:
        held = lease.share()
        write(2)
        lease.refresh()
        write(3)
        lease.refresh()  # two moves: the first session is not to be made over while it is held
        assert (count(held), count(lease)) == (1, 3)
        held.close()
        held.close()


def test_who_rests_holds_no_session(lake: brainlake.Lake, write: Write) -> None:
    """A hundred clients that each asked once, at a hundred snapshots, must not keep a hundred sessions."""
    write(1)
    with Snapshots(lake.path) as snapshots:
        leases = []
        for n in range(2, 6):
            write(n)
            leases.append(snapshots.lease())
            leases[-1].refresh()
            leases[-1].rest()
            leases[-1].rest()
        assert len(snapshots) <= 2  # the one that is left is moved
        old = snapshots.lease(lake.snapshot - 1)
        old.rest()
        assert count(old) == 4  # pinned: it stays
        for lease in leases:
            assert (lease.refresh(), count(lease)) == (lake.snapshot, 5)
            lease.close()
        old.close()


def test_the_session_that_everybody_left_is_moved_not_made_anew(lake: brainlake.Lake, write: Write) -> None:
    write(1)
    with Snapshots(lake.path) as snapshots, snapshots.lease() as lease:
        seen = {id(lease.session)}
        for n in range(2, 8):
            write(n)
            lease.refresh()
            assert count(lease) == n
            seen.add(id(lease.session))
        assert len(seen) == 2


def test_of_the_sessions_that_nobody_uses_only_some_wait(
    lake: brainlake.Lake, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brainlake.lake.serve.snapshots.SPARES", 2)
    numbers = [write(n) for n in range(1, 5)]
    with Snapshots(lake.path) as snapshots:
        leases = [snapshots.lease(number) for number in numbers]
        assert len(snapshots) == 4
        for lease in leases:
            lease.close()
        assert len(snapshots) == 2
        with snapshots.lease(numbers[-1]) as lease:
            assert (count(lease), len(snapshots)) == (4, 2)


def test_who_waits_for_a_session_shares_the_newest(
    lake: brainlake.Lake, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three clients ask at three snapshots while a session is made: they need one more, not three."""
    first = write(1)
    with Snapshots(lake.path) as snapshots:
        read_state, asked, go_on = snapshots.catalog.state, threading.Event(), threading.Event()

        def state(snapshot: int) -> LakeState:
            asked.set()
            assert go_on.wait(60)
            return read_state(snapshot)

        monkeypatch.setattr(snapshots.catalog, "state", state)
        leases: list[Lease] = []
        slow = threading.Thread(target=lambda: leases.append(snapshots.lease(first)))
        slow.start()
        assert asked.wait(60)
        waiting = []
        for n in range(2, 5):
            write(n)
            waiting.append(threading.Thread(target=lambda: leases.append(snapshots.lease())))
            waiting[-1].start()
        go_on.set()
        for thread in (slow, *waiting):
            thread.join(60)
        assert sorted(lease.snapshot_id for lease in leases) == [first] + 3 * [lake.snapshot]
        assert len({id(lease.session) for lease in leases}) == 2
        for lease in leases:
            lease.close()


def test_views_and_lake_s_own_tables_move_too(lake: brainlake.Lake, write: Write) -> None:
    write(1)
    with Snapshots(lake.path) as snapshots, snapshots.lease() as lease:
        for n in range(2, 6):
            write(n)
            lease.refresh()
            rows = lease.session.sql("select max(snapshot_id) as s from lake.snapshots").one()
            assert rows.s == lake.snapshot == lease.snapshot_id


def test_settings_reach_every_session(lake: brainlake.Lake, write: Write) -> None:
    write(1)
    with Snapshots(lake.path, settings={"memory_limit": "123MB", "threads": "1"}) as snapshots:
        for _ in range(2):
            with snapshots.lease() as lease:
                one = lease.session.sql("select current_setting('memory_limit') m, current_setting('threads') t").one()
                assert (one.m, one.t) == ("117.3 MiB", 1)
            write(2)


def test_a_closed_server_gives_no_lease_and_ends_with_the_last(lake: brainlake.Lake, write: Write) -> None:
    write(1)
    snapshots = Snapshots(lake.path)
    lease = snapshots.lease()
    snapshots.close()
    snapshots.close()
    assert count(lease) == 1  # still read
    lease.close()
    with pytest.raises(CatalogError):
        snapshots.lease()


def test_there_is_no_server_without_a_lake_or_on_no_snapshot(lake: brainlake.Lake, tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="not a lake"):
        Snapshots(tmp_path)
    with pytest.raises((UnknownError, SnapshotExpired)):
        Snapshots(lake.path, 99)


def test_many_threads_each_see_whole_snapshots_that_never_go_back(lake: brainlake.Lake, write: Write) -> None:
    """A snapshot's table has as many rows as its largest number plus one: a mixture would show."""
    write(1)
    stop = threading.Event()
    wrong: list[str] = []

    def look(snapshots: Snapshots) -> None:
        last = 0
        with snapshots.lease() as lease:
            while not stop.is_set():
                lease.refresh()
                found = lease.session.sql("select count(*) as n, max(n) + 1 as m from lab.rows").one()
                if found.n != found.m or found.n < last:
                    wrong.append(f"{found.n} rows, largest {found.m}, before {last}")
                last = found.n

    with Snapshots(lake.path) as snapshots:
        threads = [threading.Thread(target=look, args=(snapshots,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        for n in range(2, 14):
            write(n)
        stop.set()
        for thread in threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in threads)
        assert wrong == []
        with snapshots.lease() as lease:
            assert count(lease) == 13
