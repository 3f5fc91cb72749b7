"""Forgetting subjects and parts: what goes, what stays, who still reads it, and how it comes back."""

from __future__ import annotations

from pathlib import Path

import brainlake
import pyarrow as pa
import pytest
from brainlake.lake.catalog import Catalog
from brainlake.lake.checking import check
from brainlake.lake.cli import run
from brainlake.lake.errors import UnknownError
from brainlake.lake.folding import compact
from brainlake.lake.forgetting import forget
from brainlake.lake.writer import write_user_table
from brainlake.tests.fixtures.allen_ecephys import make_probe_lfp, make_session

TRAINS, LAYERS = "ecephys.spike_trains", "ecephys.unit_layers"
SESSION, OTHER = 715093703, 719161530


@pytest.fixture
def catalog(tmp_path, engine):
    """Three sessions with trains and layers, whose layers are folded into one file; further trains of one from a probe's file."""
    catalog = Catalog.create(tmp_path / "lake")
    for n in (7, 8, 17):
        rows = {TRAINS: engine.trains(n, [n]), LAYERS: {"unit_id": [n]}}
        engine.ingest(catalog, f"ecephys.session/{n}", rows, parts=["spikes", "unit_layers", "eye"])
    engine.ingest(catalog, "ecephys.probe/70", {TRAINS: engine.trains(7, [700])}, role="probe_nwb", parts=["spikes"])
    compact(catalog)
    return catalog


def units(catalog: Catalog, table: str, snapshot: int | None = None) -> list[int]:
    with brainlake.open(catalog.root, snapshot) as lake:
        return lake.sql(f"select unit_id from {table} order by all").to_numpy().tolist()


@pytest.mark.parametrize(
    ("selectors", "role", "gone"),
    [
        (["ecephys.session/7"], None, ["ecephys.session/7"]),
        (["ecephys.session/*7"], None, ["ecephys.session/17", "ecephys.session/7"]),
        (["session=7"], None, ["ecephys.probe/70", "ecephys.session/7"]),
        (["session=7"], "session_nwb", ["ecephys.session/7"]),
        (["session=1?"], None, ["ecephys.session/17"]),
        (["probe=70", "session=8"], None, ["ecephys.probe/70", "ecephys.session/8"]),
        (["ecephys.probe=70"], None, ["ecephys.probe/70"]),
    ],
)
def test_what_a_selector_means(catalog, selectors, role, gone):
    before = catalog.latest()
    told = forget(catalog, selectors, role, dry_run=True)
    assert [item.subject for item in told.items] == gone
    assert catalog.latest() == before
    done = forget(catalog, selectors, role)
    assert done.items == told.items
    assert {i.subject for i in catalog.live_ingests()}.isdisjoint(gone)
    assert check(catalog, deep=True) == []


@pytest.mark.parametrize(
    ("selectors", "only", "says"),
    [
        (
            ["ecephys.session/9"],
            None,
            r"nothing in the lake is about ecephys\.session/9: did you mean ecephys\.session/",
        ),
        (["ecephys.session/7", "probe=71"], None, "nothing in the lake is about probe=71"),
        (["session=8"], ["lfp"], "no part 'lfp' is here: there are spikes, unit_layers"),
        (["session=8"], ["spikes", "lfp"], "no part 'lfp'"),
    ],
)
def test_what_is_not_there_is_told_and_nothing_goes(catalog, selectors, only, says):
    before = catalog.latest()
    with pytest.raises(UnknownError, match=says):
        forget(catalog, selectors, only=only)
    assert catalog.latest() == before


def test_a_part_goes_and_the_rest_stays_at_every_snapshot(catalog):
    before = catalog.latest()
    (item,) = forget(catalog, "ecephys.session/7", only=["unit_layers"]).items
    assert (item.parts, item.whole, item.n_rows) == (("unit_layers",), False, 1)
    assert (units(catalog, LAYERS), units(catalog, LAYERS, before)) == ([8, 17], [7, 8, 17])
    assert units(catalog, TRAINS) == [7, 8, 17, 700]
    assert check(catalog, deep=True) == []

    def told(snapshot: int | None) -> tuple[list[tuple[str, str, int]], list[str], int]:
        relations = catalog.state(snapshot).relations
        parts = [r for r in relations["lake.parts"]().to_pylist() if r["subject"] == "ecephys.session/7"]
        (ingest,) = (r for r in relations["lake.ingests"]().to_pylist() if r["subject"] == "ecephys.session/7")
        return [(r["part"], r["state"], r["n_rows"]) for r in parts], ingest["parts"], ingest["n_rows"]

    assert told(before) == (
        [("spikes", "present", 1), ("unit_layers", "present", 1)],
        ["eye", "spikes", "unit_layers"],
        2,
    )
    assert told(None) == ([("spikes", "present", 1), ("unit_layers", "available", 0)], ["eye", "spikes"], 1)
    with pytest.raises(UnknownError, match="unit_layers"):
        forget(catalog, "ecephys.session/7", only=["unit_layers"])
    forget(catalog, "ecephys.session/7", only=["spikes"])  # the last of it
    assert not catalog.live_ingests("ecephys.session/7")


def test_many_subjects_leave_a_folded_file_at_once(catalog):
    """One new file, not one for each."""
    before = len(list((catalog.root / "data/ecephys/unit_layers").iterdir()))
    forget(catalog, ["ecephys.session/7", "ecephys.session/8"])
    assert len(list((catalog.root / "data/ecephys/unit_layers").iterdir())) == before + 1
    assert units(catalog, LAYERS) == [17]


def test_readers_of_earlier_snapshots_are_not_disturbed(catalog):
    with brainlake.open(catalog.root) as held:
        asked = held.sql(f"select count(*) as n from {TRAINS}")
        forget(catalog, "*")
        assert asked.one().n == 4
        held.refresh()
        assert asked.one().n == 0


def test_a_users_table_goes_by_its_name(catalog):
    write_user_table(catalog, "lab.labels", pa.table({"x": [1]}))
    assert [item.whole for item in forget(catalog, "table=lab.labels").items] == [True]
    assert "lab.labels" not in catalog.state().tables


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("recordings")
    session, lfp = folder / "session.nwb", folder / "lfp.nwb"
    truth = make_session(session, session_id=SESSION, n_spikes=2_000)
    make_probe_lfp(lfp, truth)
    return [session, lfp]


def test_lfp_of_a_session_goes_is_told_as_absent_and_comes_back_by_the_line_told(
    recordings: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / "lake"
    with brainlake.create(root) as lake:
        lake.ingest(recordings, with_parts=["lfp"]).raise_failed()
        samples = "select count(*) as n from ecephys.lfp_chunks"
        whole, channels = lake.sql(samples).one().n, lake.sql("select channel_id from ecephys.channels").arrow()
        assert whole > 0
        where = ["--lake", str(root)]
        assert run([*where, "forget", f"session={SESSION}", "--only", "lfp", "--dry-run"]) == 0
        assert "would forget ecephys.probe/" in capsys.readouterr().out
        assert run([*where, "forget", f"session={SESSION}", "--only", "lfp"]) == 0
        assert "brainlake expire" in capsys.readouterr().out
        lake.refresh()
        assert lake.sql(samples).one().n == 0
        assert lake.sql("select channel_id from ecephys.channels").arrow().num_rows == channels.num_rows
        held = lake.sql("from lake.holdings where part = 'lfp' and role = 'probe_nwb'").one()
        assert (held.state, held.n_rows) == ("available", 0)
        assert held.size_bytes > 0
        assert lake.ingest(recordings[1]).items[0].status == "unchanged"  # the parts it has are the usual ones
        assert run([*where, *held.remedy.split()[1:]]) == 0
        lake.refresh()
        assert lake.sql(samples).one().n == whole
