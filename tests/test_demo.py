"""The demo's answers are right: its questions, asked of the generated files, against the data they were made from."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import brainlake
import numpy as np
import polars as pl
import pytest
from brainlake.ingest.rma_endpoints import projection_grid
from brainlake.lake.demo import EXPERIMENT, bring_real, demo
from brainlake.lake.demo_questions import CELL, ONLINE_DOMAINS, OTHER_SESSION, QUESTIONS, SESSION
from brainlake.lake.errors import BrainlakeError
from brainlake.lake.facade import Lake
from brainlake.lake.fetching import How
from brainlake.tests.fixtures import brain_lake, ccf, cell_types_tables, connectivity
from brainlake.tests.fixtures.allen_icephys import make_cell
from brainlake.tests.fixtures.allen_records import VOLTS_A_COUNT
from brainlake.tests.fixtures.allen_truth import Truth
from brainlake.tests.fixtures.cell_types_lake import AMPLITUDES
from brainlake.tests.fixtures.rma_server import path_of, serving
from brainlake.tests.fixtures.swc import random_neuron

README = Path(__file__).resolve().parent.parent / "README.md"
PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A demo made by the command: its directory, and what it printed."""
    pytest.importorskip("matplotlib", reason="pictures need the extra `plots`")
    path = tmp_path_factory.mktemp("demo") / "demo"
    command = [sys.executable, "-m", "brainlake", "demo", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "120"})
    assert done.returncode == 0, done.stderr
    return path, done.stdout


@pytest.fixture(scope="module")
def lake(made: tuple[Path, str]) -> Iterator[Lake]:
    with brainlake.open(made[0] / "lake") as opened:
        yield opened


@pytest.fixture(scope="module")
def truth() -> Truth:
    return Truth(session_id=SESSION)


def answer(lake: Lake, title: str) -> pl.DataFrame:
    """The whole answer to the question whose title has these words."""
    (asked,) = (q for q in QUESTIONS if title in q.title)
    return lake.sql(asked.sql).pl()


def test_every_question_is_answered(made: tuple[Path, str]) -> None:
    _, printed = made
    assert len(QUESTIONS) >= 20
    assert [q.title for q in QUESTIONS if q.title not in printed] == []
    assert sum(map(printed.count, (" rows)\n", "(1 row)\n", "(first "))) == len(QUESTIONS)
    assert "(0 rows)" not in printed


def test_every_picture_is_drawn(made: tuple[Path, str]) -> None:
    directory, _ = made
    *drawn, page = sorted((directory / "pictures").iterdir())
    assert [p.stem[3:] for p in drawn] == [q.picture for q in QUESTIONS if q.picture]
    assert page.name == f"cell_{CELL}.png"
    assert page.stat().st_size > 100_000
    assert all(p.read_bytes().startswith(PNG) and p.stat().st_size > 5_000 for p in drawn)


def test_units_are_counted_by_area_over_both_sessions(lake: Lake, truth: Truth) -> None:
    other = Truth(seed=1, session_id=OTHER_SESSION)
    expected: Counter[str | None] = Counter()
    for session in (truth, other):
        expected += Counter(u.channel.acronym for u in session.good_units if u.metrics["snr"] > 1)
    got = dict(answer(lake, "How many units has each area").select("structure_acronym", "n_units").iter_rows())
    assert {area: n for area, n in got.items() if area in expected} == dict(expected)


def test_spike_counts_are_those_of_comparing_every_spike(lake: Lake, truth: Truth) -> None:
    got = answer(lake, "during each natural scene")
    shown = truth.presentations
    windows, units = got["window_id"].unique().sort().to_numpy(), got["unit_id"].unique().sort().to_list()
    assert sorted(u.unit_id for u in truth.good_units) == units
    counts = truth.counts(units, shown.start_time[windows], shown.start_time[windows] + 0.25)
    assert got.sort("unit_id", "window_id")["spike_count"].to_numpy().reshape(counts.shape).tolist() == counts.tolist()


def test_the_psth_is_the_mean_over_units_and_flashes(lake: Lake, truth: Truth) -> None:
    """Summed over its bins it is the number of spikes from 0.1 s before to 0.4 s after, which needs no bin edges."""
    got = answer(lake, "peri-stimulus")
    flashes = lake.sql(
        f"""
        select stimulus_presentation_id as row, color as condition
        from ecephys.stimulus_presentations
        where session_id = {SESSION} and stimulus_name = 'flashes'
        """
    ).pl()
    assert got.select("structure_acronym", "condition").n_unique() == 4
    for (area, condition), bins in got.group_by("structure_acronym", "condition"):
        assert len(bins) == 50
        units = [u.unit_id for u in truth.good_units if u.channel.acronym == area]
        events = truth.presentations.start_time[flashes.filter(pl.col("condition") == condition)["row"].to_numpy()]
        expected = truth.counts(units, events - 0.1, events + 0.4).mean()
        assert bins["spikes_per_s"].sum() * 0.01 == pytest.approx(expected, abs=1e-9)


def test_the_field_potential_around_spikes_is_the_mean_of_the_nearest_samples(lake: Lake, truth: Truth) -> None:
    got = answer(lake, "field potential")
    times, counts = truth.lfp_times(0, 0, n := truth.n_lfp_samples(0)), truth.lfp_counts(0, 0, n)
    valid = np.ones(n, dtype=bool)
    for interval in truth.invalid_times:
        if interval.tags[2] in ("all_probes", truth.probes[0].name):
            valid &= (times < interval.start_time) | (times > interval.stop_time)
    train = truth.train(min(u.unit_id for u in truth.good_units if u.probe == 0))
    train = train[(train >= times[0]) & (train <= times[-1])]
    after = np.searchsorted(times, train)
    nearest = after - (train - times[np.maximum(after - 1, 0)] < times[after] - train)
    for column, channel in enumerate(truth.lfp_channels(0)):
        mine = got.filter(pl.col("channel_id") == channel.channel_id)
        expected = []
        for step in np.rint(mine["time_from_event"].to_numpy() * truth.probes[0].lfp_sampling_rate).astype(int):
            samples = (nearest + step)[(nearest + step >= 0) & (nearest + step < n)]
            expected.append(counts[samples[valid[samples]], column].mean() * VOLTS_A_COUNT)
        assert mine["lfp"].to_numpy() == pytest.approx(expected, rel=1e-6)


def test_the_rates_of_a_patched_cell_are_those_of_the_spikes_it_was_given(lake: Lake) -> None:
    """Long squares last a second, so a rate is a number of spikes."""
    made = make_cell(CELL, sampling_rate=50_000.0, step=1.0, amplitudes=AMPLITUDES)
    expected = [(s.amplitude_pa, float(len(s.spike_times))) for s in made.sweeps if s.stimulus_name == "Long Square"]
    got = answer(lake, "rate grow").select("stim_amp_pa", "avg_rate").rows()
    assert [(round(amplitude, 3), rate) for amplitude, rate in got] == sorted(expected)


def test_neurites_are_as_long_as_the_distances_between_their_nodes(lake: Lake) -> None:
    """Without those that leave the soma, as the reference measures."""
    at = {node[0]: np.array(node[2:5]) for node in random_neuron(3)}
    lengths: Counter[int] = Counter()
    for node, kind, *_, parent in random_neuron(3):
        if parent not in (-1, 1):
            lengths[kind] += float(np.linalg.norm(at[node] - at[parent]))  # type: ignore[assignment]
    got = dict(answer(lake, "How long").select("neurite_type", "total_length").iter_rows())
    for name, kind in (("axon", 2), ("basal_dendrite", 3), ("apical_dendrite", 4)):
        assert got[name] == pytest.approx(lengths[kind], rel=1e-9)


def test_targets_are_those_of_the_voxels_that_were_written(lake: Lake) -> None:
    """Of each experiment injected in VISp, the strongest outside of the injection, side by side."""
    labels = brain_lake.annotation()
    right = np.broadcast_to(np.arange(labels.shape[2]) >= labels.shape[2] / 2, labels.shape)
    got = answer(lake, "primary visual area project")
    assert got["experiment_id"].unique().sort().to_list() == [600000001, 600000002]
    for (experiment,), rows in got.group_by("experiment_id"):
        grids = brain_lake.signals(labels, int(str(experiment)))
        density, fraction = grids["projection_density"], grids["injection_fraction"]
        outside = {
            (acronym, side): (density * (1 - fraction))[
                (labels == brain_lake.IDS[acronym]) & (right == (side == 2))
            ].sum()
            for acronym in brain_lake.LEAVES
            for side in (1, 2)
        }
        strongest = sorted(outside, key=lambda one: -outside[one])[:4]
        assert rows.sort("place").select("acronym", "hemisphere_id").rows() == strongest


def test_the_readme_shows_what_the_demo_answers(
    made: tuple[Path, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for extra in ("pandas", "xarray"):
        pytest.importorskip(extra)
    monkeypatch.chdir(made[0].parent)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    scope: dict[str, object] = {}
    blocks = re.findall(r"```python\n(.*?)```\n```text\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) >= 4
    for code, shown in blocks:
        exec(code, scope)
        assert capsys.readouterr().out == shown


def test_a_demo_is_not_made_over_something_else(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    for replace in (False, True):
        with pytest.raises(BrainlakeError, match="something else"):
            demo(tmp_path, replace=replace)


def test_an_online_demo_begins_with_real_data_where_the_api_gives_them(tmp_path: Path) -> None:
    """Here a server on loopback stands for the API: what comes is asked as the demo asks it."""
    unionizes = connectivity.unionize_records(connectivity.unionize_columns([EXPERIMENT], [385, 549, 1027]))
    grid = np.zeros((132, 80, 114), np.float32)
    grid[3:6, 4, 5] = 0.5
    records = {
        "Structure": ccf.api_records(),
        "ApiCellTypesSpecimenDetail": cell_types_tables.details(),
        "EphysFeature": cell_types_tables.ephys_features(),
        "NeuronReconstruction": cell_types_tables.morphology_features(),
        "ApiConnectivity": [{**one, "data_set_id": EXPERIMENT + n}
                            for n, one in enumerate(connectivity.experiment_records())],
        "ProjectionStructureUnionize": unionizes,
    }  # fmt: skip
    files = {path_of(projection_grid(EXPERIMENT, "projection_density", 100)): ccf.nrrd_bytes(grid, um=100)}
    with serving(records=records, files=files) as server, brainlake.create(tmp_path / "lake") as lake:
        assert bring_real(lake, How(server.url, attempts=1))
        for questions in ONLINE_DOMAINS.values():
            for asked in questions:
                assert lake.sql(asked.sql).pl().height > 0, asked.title
        assert lake.sql("select count(*) from icephys.specimen_details").pl().item() == len(cell_types_tables.details())
        assert lake.sql("select sum(voxel_value) from connectivity.grid_voxels").pl().item() == 1.5


def test_an_online_demo_says_so_where_nobody_answers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with brainlake.create(tmp_path / "lake") as lake:
        assert not bring_real(lake, How("http://127.0.0.1:9", attempts=1))  # the port that discards
    told = capsys.readouterr().out
    assert "http://127.0.0.1:9" in told
    assert "the demo goes on with generated files" in told
