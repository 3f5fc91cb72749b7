"""The notebooks run as they lie in the repository, each in a kernel of its own, and their numbers are right.

A question at the end of a notebook tells its variables; what they must be is computed here from what the files were made of.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import brainlake
import numpy as np
import pytest
from brainlake.tests.fixtures.allen_ecephys import make_probe_lfp, make_session
from brainlake.tests.fixtures.allen_icephys import MadeCell
from brainlake.tests.fixtures.allen_records import VOLTS_A_COUNT
from brainlake.tests.fixtures.allen_truth import Truth
from brainlake.tests.fixtures.brain_lake import EXPERIMENTS, IDS, LEAVES, UM, Brain, make_brain
from brainlake.tests.fixtures.cell_types_lake import make_everything
from brainlake.tests.fixtures.notebook_runs import FOLDER, Ran, run_notebook
from brainlake.tests.fixtures.project_tables import make_project_tables

NOTEBOOKS = sorted(path.stem for path in FOLDER.glob("*.ipynb"))
SESSION = 791319847


@dataclass(frozen=True)
class Made:
    """A lake, and what its files were made of."""

    lake: Path
    truth: Truth
    cell: MadeCell
    brain: Brain


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("notebooks")
    files = folder / "files"
    files.mkdir()
    truth = make_session(files / f"session_{SESSION}.nwb", session_id=SESSION)
    make_probe_lfp(files / f"probe_{truth.probes[0].probe_id}_lfp.nwb", truth, probe=0)
    make_project_tables(files / "project", [truth])
    cell = make_everything(files / "cell_types")
    brain = make_brain(files / "brain")
    with brainlake.create(folder / "lake") as lake:
        lake.ingest(files, with_parts=["lfp"]).raise_failed()
    return Made(folder / "lake", truth, cell, brain)


@pytest.fixture
def run(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Ran]:
    return lambda name, question: run_notebook(name, question, made.lake, tmp_path, monkeypatch)


def events(truth: Truth, stimulus: str) -> np.ndarray:
    """Onsets of a stimulus (s)."""
    return truth.presentations.start_time[truth.presentations.rows(stimulus)]


def test_quick_start(run: Callable[[str, str], Ran], made: Made) -> None:
    ran = run("quick_start", "[session, counts.unit_id.values, counts.values, psth.units['spikes_per_s']]")
    scenes = events(made.truth, "natural_scenes")
    units = sorted(unit.unit_id for unit in made.truth.good_units)
    assert ran.answer[:2] == [SESSION, units]
    assert np.array_equal(ran.answer[2], made.truth.counts(units, scenes, scenes + 0.25).T)
    assert ran.answer[3] == "spikes/s"
    assert ran.drawn() == 4


def test_data_access(run: Callable[[str, str], Ran]) -> None:
    ran = run(
        "data_access", "[n_before, n_now, len(provenance['sources']), 'morphology.nodes' in provenance['questions']]"
    )
    assert ran.answer == [0, 5, 1, True]


def test_unit_quality(run: Callable[[str, str], Ran], made: Made) -> None:
    """Intervals of the three units that fire most, in bins of 0.5 ms up to 20 ms."""
    ran = run(
        "unit_quality",
        "[n.by_default == n.good_units <= n.without_limits <= n.without_limits_corrected,"
        " intervals.sort('unit_id', 'interval_start').select('unit_id', 'n_intervals').rows()]",
    )
    assert ran.answer[0]
    busiest = sorted(made.truth.good_units, key=lambda unit: -len(made.truth.train(unit.unit_id)))[:3]
    found: dict[int, list[int]] = {}
    for unit, n_intervals in ran.answer[1]:
        found.setdefault(unit, []).append(n_intervals)
    assert list(found) == sorted(unit.unit_id for unit in busiest)
    for unit, histogram in found.items():
        intervals = np.diff(made.truth.train(unit))
        assert len(histogram) == 40
        assert sum(histogram) == np.count_nonzero(intervals < 0.02)
    assert ran.drawn() == 2


def test_lfp_and_csd(run: Callable[[str, str], Ran], made: Made) -> None:
    """A second around the first flash, sample by sample; the published density as it was written."""
    ran = run(
        "lfp_and_csd",
        "[lfp.to_xarray(['timestamp', 'channel_id'], 'lfp').timestamp.values,"
        " lfp.to_xarray(['timestamp', 'channel_id'], 'lfp').values,"
        " csd.pl().sort('vertical_position', 'time_from_event')['csd'].to_list()]",
    )
    truth, n = made.truth, made.truth.n_lfp_samples(0)
    flash = events(truth, "flashes")[0]
    times = truth.lfp_times(0, 0, n)
    inside = (times >= flash - 0.25) & (times < flash + 0.75)
    assert ran.answer[0] == times[inside].tolist()
    order = np.argsort([channel.channel_id for channel in truth.lfp_channels(0)])
    assert np.allclose(ran.answer[1], truth.lfp_counts(0, 0, n)[inside][:, order] * VOLTS_A_COUNT, rtol=1e-6, atol=0)
    assert sorted(ran.answer[2]) == sorted(truth.csd(0).ravel().tolist())
    assert ran.drawn() == 4


def test_optotagging(run: Callable[[str, str], Ran], made: Made) -> None:
    """Share of bins of 0.5 ms with spikes from 1 to 9 ms after the light, a second: the ratio decides."""
    ran = run("optotagging", "frame.select('unit_id', 'n_trials', 'evoked_rate').rows()")
    pulses = [trial.start_time for trial in made.truth.opto if 0.009 < trial.duration < 0.02]
    assert sorted(unit for unit, *_ in ran.answer) == sorted(unit.unit_id for unit in made.truth.good_units)
    for unit, n_trials, evoked_rate in ran.answer:
        train = made.truth.train(unit)
        n_spikes = sum(np.count_nonzero((train >= light + 0.001) & (train <= light + 0.009)) for light in pulses)
        assert n_trials == len(pulses)
        assert evoked_rate == pytest.approx(n_spikes / (len(pulses) * 0.008), rel=1e-9)
    assert ran.drawn() == 3


def test_cell_types(run: Callable[[str, str], Ran], made: Made) -> None:
    ran = run("cell_types", "[cell, number, found['peak_t'].to_list(), published, sweep.response[::50], duration]")
    cell, number, peaks, published, response, duration = ran.answer
    longest = max((s for s in made.cell.sweeps if s.stimulus_name == "Long Square"), key=lambda s: len(s.spike_times))
    assert (cell, number, duration) == (made.cell.specimen_id, longest.sweep_number, 1.0)
    assert np.allclose(np.array(response) * 1e3, longest.response[::50], rtol=1e-5, atol=1e-4)
    assert np.allclose(published, longest.spike_times)
    assert np.allclose(peaks, longest.spike_times, rtol=0, atol=0.5e-3)  # the same spikes, found again
    assert ran.drawn() == 5


def test_glif(run: Callable[[str, str], Ran], made: Made) -> None:
    """A leaky integrator on a step spikes at intervals of tau ln(RI / (RI - theta)), and is held while a spike lasts."""
    ran = run("glif", "[config, rheobase, counts.filter(counts['glif_level'] == 1).rows(), len(recorded), number]")
    config, rheobase, simplest, n_recorded, number = ran.answer
    theta, resistance = config["th_inf"] * config["coeffs"]["th_inf"], config["R_input"]
    assert rheobase == pytest.approx(theta / resistance)
    held, step = config["spike_cut_length"] * config["dt"], 0.4
    for _, amplitude_pa, n_spikes, *_ in simplest:
        settled = resistance * amplitude_pa * 1e-12
        expected = 0
        if settled > theta:
            rise = resistance * config["C"] * math.log(settled / (settled - theta))
            expected = 1 + math.floor((step - rise) / (rise + held))
        assert n_spikes == expected
    assert n_recorded == len(made.cell.sweeps[number].spike_times)
    assert ran.drawn() == 2


def test_own_events(run: Callable[[str, str], Ran], made: Made) -> None:
    """Moments when the smoothed speed comes to exceed its median, found again sample by sample."""
    ran = run("own_events", "[onsets['event_time'].to_list(), then, now, (onsets['condition'] == 'late').sum()]")
    with brainlake.open(made.lake) as lake:
        frame = lake.sql("select timestamp, speed from behavior.running_speed order by timestamp").pl()
    times, speed = frame["timestamp"].to_numpy(), frame["speed"].to_numpy()
    total = np.concatenate(([0.0], np.cumsum(speed)))
    first, last = np.searchsorted(times, times - 0.5, "left"), np.searchsorted(times, times + 0.5, "right")
    smoothed = (total[last] - total[first]) / (last - first)
    middle = np.median(smoothed)
    found = [
        times[i]
        for i in np.flatnonzero(smoothed >= middle)
        if (recent := (times >= times[i] - 1.0) & (times <= times[i] - 0.001)).any() and smoothed[recent].max() < middle
    ]
    onsets, then, now, late = ran.answer
    assert onsets == found
    assert (then, now) == (len(found), late)
    assert 0 < late < len(found)
    assert ran.drawn() == 1


def test_reference_space(run: Callable[[str, str], Ran], made: Made) -> None:
    """Against the annotation's voxels: a mask, sizes, and what lies along a track of an electrode."""
    ran = run(
        "reference_space",
        "[thalamus.pl()['acronym'].to_list(), np.flatnonzero(mask), sizes.pl().select('acronym', 'total_voxels').rows(),"
        " track.pl().select('acronym', 'n_points').rows()]",
    )
    labels = made.brain.labels
    below, inside, sizes, track = ran.answer
    assert below == ["TH", "LP", "LGd"]
    assert inside == np.flatnonzero(np.isin(labels, [IDS["VISp"], IDS["VISl"]])).tolist()
    for acronym, n in sizes:
        if acronym in LEAVES:
            assert n == np.count_nonzero(labels == IDS[acronym])
    acronyms = {number: acronym for acronym, number in IDS.items()}
    along = [labels[8000 // UM, depth // UM, 6900 // UM] for depth in range(0, 8000, 100)]
    assert dict(track) == {acronyms[label]: along.count(label) for label in along if label}
    assert ran.drawn() == 3


def test_mouse_connectivity(run: Callable[[str, str], Ran], made: Made) -> None:
    """Against the voxels of the experiments' grids, and the recordings' units."""
    ran = run(
        "mouse_connectivity",
        "[chosen, array.target.values, array.values, centre.one().centroid_ap_um,"
        " alike.pl().select('experiment_id', 'correlation').rows(), recorded.pl().select('acronym', 'n_units').rows(),"
        " isocortex['experiment_id'].to_list(), [density.ap_index.values, density.values.sum(axis=(1, 2))]]",
    )
    labels, grids = made.brain.labels, made.brain.grids
    chosen, targets, values, centre_ap, alike, recorded, in_cortex, density_along = ran.answer
    assert in_cortex == [e for e, (injected, line, _) in EXPERIMENTS.items() if injected != "LP" and line is None]
    along = grids[in_cortex[0]]["projection_density"].astype(float).sum(axis=(1, 2))
    assert density_along[0] == np.flatnonzero(along).tolist()
    assert density_along[1] == pytest.approx(along[along > 0].tolist(), rel=1e-5)
    assert chosen == min(e for e, (injected, line, _) in EXPERIMENTS.items() if injected == "VISp" and line is None)
    right = np.broadcast_to(np.arange(labels.shape[2]) >= labels.shape[2] / 2, labels.shape)
    for row, grid in zip(values, (grids[experiment] for experiment in sorted(EXPERIMENTS)), strict=True):
        density, fraction = grid["projection_density"].astype(float), grid["injection_fraction"].astype(float)
        for target, value in zip(targets, row, strict=True):
            acronym, side = target.split("-")
            chosen_voxels = (labels == IDS[acronym]) & (right == (side == "R"))
            outside = (density * (1 - fraction))[chosen_voxels].sum()
            assert value == pytest.approx(outside / (density * fraction).sum(), rel=1e-9)
    density = {experiment: grid["projection_density"].astype(float)[labels > 0] for experiment, grid in grids.items()}
    for experiment, correlation in alike:
        assert correlation == pytest.approx(np.corrcoef(density[chosen], density[experiment])[0, 1], rel=1e-9)
    weight = grids[chosen]["injection_density"].astype(float) * grids[chosen]["injection_fraction"]
    assert centre_ap == pytest.approx((np.arange(labels.shape[0]) * weight.sum(axis=(1, 2))).sum() / weight.sum() * UM)
    with brainlake.open(made.lake) as lake:
        counted = lake.sql("select structure_acronym, count(*) as n from ecephys.good_units group by all").pl()
    units = dict(counted.rows())
    assert dict(recorded) == {acronym: units.get(acronym, 0) for acronym in (*LEAVES, "TH")}
    assert ran.drawn() == 3


def test_atlas_api(run: Callable[[str, str], Ran]) -> None:
    ran = run("atlas_api", "[structures.pl()['acronym'].to_list(), same.pl()['id'].to_list(), answer['msg']]")
    acronyms, ids, message = ran.answer
    assert acronyms == list(LEAVES)
    assert ids == [IDS[acronym] for acronym in LEAVES]
    assert message == [{"id": IDS["VISp"], "name": "Primary visual area"}]


def test_outputs(run: Callable[[str, str], Ran], made: Made) -> None:
    ran = run(
        "outputs",
        "[frame.attrs['units'], list(trains.keys()), [len(train) for train in trains.values()],"
        " dict(psth.sizes), psth.sum().item() * 0.01]",
    )
    truth = made.truth
    spiking = sorted(unit.unit_id for unit in truth.good_units if len(truth.train(unit.unit_id)))
    assert ran.answer[0] == {"firing_rate": "Hz", "waveform_duration": "ms"}
    assert ran.answer[1:3] == [spiking, [len(truth.train(unit)) for unit in spiking]]
    assert ran.answer[3] == {"condition": 2, "unit_id": len(truth.good_units), "bin_start": 50}
    assert ran.pictures == []


def test_every_notebook_is_tested_and_listed() -> None:
    tested = {name.removeprefix("test_") for name in vars(sys.modules[__name__]) if name.startswith("test_")}
    listed = re.findall(r"\[(\w+)\]\((\w+)\.ipynb\)", (FOLDER / "README.md").read_text(encoding="utf-8"))
    assert set(NOTEBOOKS) <= tested
    assert sorted(listed) == [(name, name) for name in NOTEBOOKS]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_kept_without_outputs_and_reads_on_its_own(name: str) -> None:
    notebook = json.loads((FOLDER / f"{name}.ipynb").read_text(encoding="utf-8"))
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    cells = notebook["cells"]
    assert len({cell["id"] for cell in cells}) == len(cells)
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert "brainlake.open_or_demo()" in "".join(code[0]["source"])
    assert cells[0]["source"][0].startswith("# ")
    text = "".join(line for cell in cells if cell["cell_type"] == "markdown" for line in cell["source"])
    assert [to for to in re.findall(r"\]\((\w+\.ipynb)\)", text) if not (FOLDER / to).exists()] == []


def test_no_lake_of_ones_own_opens_the_demo(made: Made, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is there already, here or a level up; a mistaken $BRAINLAKE is told, not passed over."""
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "lake").symlink_to(made.lake)
    (tmp_path / "below").mkdir()
    for place in (tmp_path, tmp_path / "below"):
        monkeypatch.chdir(place)
        with brainlake.open_or_demo() as lake:
            assert lake.sql("select count(*) as n from icephys.cells").one().n == 5
    monkeypatch.setenv("BRAINLAKE", str(tmp_path / "nowhere"))
    with pytest.raises(brainlake.BrainlakeError, match="nowhere"):
        brainlake.open_or_demo()


def test_a_demo_that_cannot_be_made_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "thesis.tex").touch()
    with pytest.raises(brainlake.BrainlakeError, match="something else"):
        brainlake.open_or_demo()
