"""Spikes and sweeps beside the Allen SDK's extractor, on sweeps drawn so that every branch is reached.

Runs where $BRAINLAKE_PEER_PYTHON names a Python that has the SDK (2.16.2).
"""

from __future__ import annotations

import json
import math
import os
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brainlake.tests.fixtures.spiking_sweeps import STEP_START, STEP_STOP, DrawnSweep, draw_sweep
from brainlake.udfs.interspike_intervals import burst_metrics
from brainlake.udfs.spike_features import ExtractionOptions
from brainlake.udfs.sweep_features import SweepExtractor
from brainlake.udfs.voltage_traces import FeatureError, Trace

PYTHON = os.environ.get("BRAINLAKE_PEER_PYTHON")
pytestmark = pytest.mark.skipif(not PYTHON, reason="BRAINLAKE_PEER_PYTHON names no Python with the Allen SDK")

N_SWEEPS = 240
WINDOW = {"start": STEP_START, "end": STEP_STOP}
OPTIONS: list[dict[str, Any]] = [
    WINDOW,
    {},
    WINDOW | {"filter": None},
    {"start": 0.31, "end": 0.55, "thresh_frac": 0.2},
    WINDOW | {"max_interval": 0.0015, "dv_cutoff": 10.0},
    WINDOW | {"min_height": 20.0, "min_peak": 0.0},
    WINDOW | {"thresh_frac": 0.3, "max_interval": 0.001},
]
NAMES = {"end": "stop", "filter": "filter_khz"}


@dataclass(eq=False)
class Pair:
    """A sweep as we analyse it, and what the SDK says of it."""

    drawn: DrawnSweep
    ours: SweepExtractor
    theirs: dict[str, Any]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> list[Pair]:
    folder = tmp_path_factory.mktemp("sweeps")
    arrays: dict[str, Any] = {}
    ours = []
    for k in range(N_SWEEPS):
        is_silent = k % 6 == 5
        drawn = draw_sweep(
            k,
            sampling_rate=(50_000.0, 50_000.0, 50_000.0, 200_000.0, 15_000.0)[k % 5 if k % 25 else 4],
            duration=0.94 if k % 9 == 8 else 1.2,
            amplitude=-90.0 if is_silent else 50.0 + 10 * (k % 9),
            n_spikes=0 if is_silent else 1 + k % 19,
        )
        options = OPTIONS[k % len(OPTIONS)]
        arrays |= {f"v{k}": drawn.response, f"i{k}": drawn.stimulus, f"rate{k}": drawn.sampling_rate}
        arrays[f"options{k}"] = json.dumps(options)
        named = ExtractionOptions(**{NAMES.get(name, name): value for name, value in options.items()})
        ours.append((drawn, SweepExtractor(Trace(drawn.response, drawn.t, drawn.stimulus), named)))
    np.savez(folder / "sweeps.npz", **arrays)
    script = Path(__file__).with_name("ask_allensdk_features.py")
    subprocess.run([str(PYTHON), str(script), str(folder / "sweeps.npz"), str(folder / "told.json")], check=True)
    told = json.loads((folder / "told.json").read_text())
    return [Pair(drawn, sweep, answer) for (drawn, sweep), answer in zip(ours, told, strict=True)]


def analysed(pairs: list[Pair]) -> list[Pair]:
    return [pair for pair in pairs if "error" not in pair.theirs]


def is_alike(ours: Any, theirs: Any, relative: float = 1e-6) -> bool:
    if isinstance(theirs, str):  # an array of texts turned its NaN into one
        return ours == (None if theirs == "nan" else theirs)
    if ours is None:
        return theirs is None or math.isnan(theirs)
    ours, theirs = float(ours), math.nan if theirs is None else float(theirs)
    return math.isclose(ours, theirs, rel_tol=relative) or (math.isnan(ours) and math.isnan(theirs))


def our_name(key: str) -> str:
    if key == "width":
        return "spike_width"
    return {"_v": f"{key}_mv", "_i": f"{key}_pa"}.get(key[-2:], key)


def test_the_same_sweeps_are_refused(pairs: list[Pair]) -> None:
    """Those at 15 kHz with a filter of 10 kHz (EF-1)."""
    refused = [pair for pair in pairs if "error" in pair.theirs]
    assert len(refused) > 20
    for pair in refused:
        with pytest.raises(FeatureError, match="kHz needs a sampling rate above"):
            _ = pair.ours.spikes


def test_every_column_of_every_spike_is_the_same(pairs: list[Pair]) -> None:
    differing: Counter[str] = Counter()
    n_spikes = 0
    for pair in analysed(pairs):
        spikes = pair.ours.spikes
        assert len(spikes) == len(pair.theirs["spikes"])
        n_spikes += len(spikes)
        for k, row in enumerate(pair.theirs["spikes"]):
            differing.update(key for key, value in row.items() if not is_alike(spikes.columns[our_name(key)][k], value))
    assert n_spikes > 800
    assert not differing


def test_the_sweeps_reach_every_kind_of_spike(pairs: list[Pair]) -> None:
    columns = [pair.ours.spikes.columns for pair in analysed(pairs) if len(pair.ours.spikes)]
    assert sum((c["isi_type"] == "detour").sum() for c in columns) > 50
    assert sum((~np.isnan(c["adp_index"])).sum() for c in columns) > 20
    assert sum(c["clipped"].sum() for c in columns) > 5
    flags = Counter(flag for pair in analysed(pairs) for flag in pair.ours.flags)
    assert flags["threshold_fraction_default"] > 5


def test_features_of_a_spike_train_are_the_same(pairs: list[Pair]) -> None:
    for pair in analysed(pairs):
        for key, value in pair.theirs["sweep"].items():
            if key != "spikes":
                assert is_alike(pair.ours.sweep_feature({"adapt": "adaptation"}.get(key, key)), value), key


@pytest.mark.parametrize("key", ["v_baseline", "peak_deflect", "sag"])
def test_potentials_are_the_same(pairs: list[Pair], key: str) -> None:
    for pair in analysed(pairs):
        if isinstance(pair.theirs[key], str):  # what raises there raises here
            with pytest.raises(FeatureError):
                pair.ours.sweep_feature({"v_baseline": "v_baseline_mv"}.get(key, key))
            continue
        ours = pair.ours.sweep_feature({"v_baseline": "v_baseline_mv"}.get(key, key))
        theirs = pair.theirs[key]
        assert all(is_alike(a, b) for a, b in zip(np.atleast_1d(ours), np.atleast_1d(theirs), strict=True))


def test_time_constants_of_hyperpolarised_sweeps_are_the_same(pairs: list[Pair]) -> None:
    """Where there is an exponential to fit; elsewhere what is found depends on the numerical library."""
    found = [p for p in analysed(pairs) if p.ours.options.start is not None and not len(p.ours.spikes)]
    found = [p for p in found if p.drawn.stimulus[int(0.5 * p.drawn.sampling_rate)] < 0]
    assert len(found) > 15
    for pair in found:
        assert is_alike(pair.ours.sweep_feature("tau"), pair.theirs["tau"])


def test_pauses_are_the_same(pairs: list[Pair]) -> None:
    told = [pair for pair in analysed(pairs) if not isinstance(pair.theirs["pauses"], str)]
    unsaid = [pair for pair in analysed(pairs) if isinstance(pair.theirs["pauses"], str)]
    assert all(not len(p.ours.spikes) or p.ours.options.start is None for p in unsaid)  # where it raises
    assert sum(pair.theirs["pauses"][0] > 0 for pair in told) > 10
    for pair in told:
        assert all(map(is_alike, pair.ours.pause_metrics(), pair.theirs["pauses"]))


def test_bursts_are_those_of_its_algorithm_once_it_runs(pairs: list[Pair]) -> None:
    """burst_reference_broken: its scores consume an iterator, and a burst open to the end has no whole index."""
    spiking = [pair for pair in analysed(pairs) if len(pair.ours.spikes) > 2]
    told = [pair for pair in spiking if not isinstance(pair.theirs["bursts"], str)]
    raised = {pair.theirs["bursts"] for pair in spiking if isinstance(pair.theirs["bursts"], str)}
    assert all("slice indices must be integers" in error for error in raised)
    assert sum(pair.theirs["bursts"][1] > 0 for pair in told) > 5
    for pair in told:
        assert all(map(is_alike, burst_metrics(pair.ours.bursts()), pair.theirs["bursts"]))


def test_delays_are_the_same_with_the_same_numerical_library(pairs: list[Pair]) -> None:
    """delay_start_singular: from two equal components rounding decides where the fit goes."""
    spiking = [pair for pair in analysed(pairs) if len(pair.ours.spikes) and pair.ours.options.start is not None]
    compared = [pair for pair in spiking if not isinstance(pair.theirs["delay"], str)]
    assert len(compared) > 80
    for pair in compared:
        assert is_alike(pair.theirs["our_delay_tau"], pair.theirs["delay"][1], 1e-9)
