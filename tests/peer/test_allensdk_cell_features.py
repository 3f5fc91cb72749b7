"""Cell features and the deprecated extractor beside the Allen SDK's.

Runs where $BRAINLAKE_PEER_PYTHON names a Python that has the SDK (2.16.2).
"""

from __future__ import annotations

import json
import math
import os
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from brainlake.lake.questions import below, standard
from brainlake.tests.fixtures.memory import memory_connection
from brainlake.tests.fixtures.patch_clamp import Drawn, rows_of
from brainlake.tests.fixtures.steps import RATE, long_square, ramp, short_square

PYTHON = os.environ.get("BRAINLAKE_PEER_PYTHON")
pytestmark = pytest.mark.skipif(not PYTHON, reason="BRAINLAKE_PEER_PYTHON names no Python with the Allen SDK")

N_CELLS, N_LEGACY = 12, 40
STEP = 0.03125e-3  # V, of the digitiser
ASKED = below(
    ["icephys.cell_features", "icephys.sweep_traces", "icephys.cell_feature_sweeps", "icephys.computed_sweep_features",
     "icephys.legacy_spike_features", "icephys.legacy_scores", "icephys.legacy_features", "icephys.legacy_summary"],
    standard(),
)  # fmt: skip


def noisy(sweep: Drawn, rng: np.random.Generator, noise: float) -> Drawn:
    """With noise (V), in steps of the digitiser, in the single precision it is stored in."""
    v = sweep.response + rng.normal(0, noise, len(sweep.response))
    v, i = ((np.round(v / STEP) * STEP).astype(np.float32), sweep.stimulus.astype(np.float32))
    return replace(sweep, response=v, stimulus=i)


def train(rng: np.random.Generator, n: int) -> np.ndarray:
    return np.sort(rng.choice(np.arange(3, 97), n, replace=False)) / 100


def cell(specimen: int) -> list[Drawn]:
    """Every fourth cell lacks something: ramps, short squares that fire, or a hero."""
    rng = np.random.default_rng(specimen)
    amplitudes = [*rng.choice(np.arange(-110, 0, 10), 5, replace=False), 20, *(100 + 10 * np.arange(9))]
    if specimen % 4 == 3:
        amplitudes = [*amplitudes[:6], 100, 110, 120]
    sweeps = [
        long_square(k, a, train(rng, 1 + k + int(rng.integers(0, 5))) if a > 90 else ())
        for k, a in enumerate(amplitudes)
    ]
    fires = specimen % 4 != 2
    for a in rng.choice([1000, 1100, 1200], 7):
        sweeps.append(short_square(len(sweeps), float(a), fires and a > 1000))
    if specimen % 4 != 1:
        sweeps += [ramp(len(sweeps) + k, train(rng, 3) + 1.5) for k in range(3)]
    noise = float(rng.choice([0.00002, 0.00005]))
    return [noisy(replace(sweep, specimen_id=specimen), rng, noise) for sweep in sweeps]


def for_legacy() -> list[Drawn]:
    """Long squares as drawn, and every other at 200 kHz, which is filtered."""
    rng = np.random.default_rng(1)
    sweeps = []
    for k in range(N_LEGACY):
        sweep = long_square(k, 150, train(rng, 4 + k % 30))
        if k % 2:
            t = np.arange(len(sweep.response)) / RATE
            fine = np.arange(8 * len(t) - 7) / (8 * RATE)
            sweep = replace(
                sweep, sampling_rate=8 * RATE, response=np.interp(fine, t, sweep.response),
                stimulus=sweep.stimulus[np.arange(len(fine)) // 8],
            )  # fmt: skip
        sweeps.append(noisy(replace(sweep, specimen_id=0), rng, (0.00001, 0.00002, 0.0001)[k % 3]))
    return sweeps


@pytest.fixture(scope="module")
def sweeps() -> list[Drawn]:
    numbered = [*for_legacy(), *(one for specimen in range(1, N_CELLS + 1) for one in cell(specimen))]
    return [replace(sweep, sweep_number=k) for k, sweep in enumerate(numbered)]


@pytest.fixture(scope="module")
def told(sweeps, tmp_path_factory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("cells")
    arrays = {f"v{s.sweep_number}": s.response.astype(np.float64) for s in sweeps}
    arrays |= {f"i{s.sweep_number}": s.stimulus.astype(np.float64) for s in sweeps}
    np.savez(
        folder / "sweeps.npz", **arrays, rates=[s.sampling_rate for s in sweeps], cells=[s.specimen_id for s in sweeps],
        names=[s.stimulus_name for s in sweeps], starts=[s.experiment[0] for s in sweeps],
    )  # fmt: skip
    script = Path(__file__).with_name("ask_allensdk_cell_features.py")
    subprocess.run([str(PYTHON), str(script), str(folder / "sweeps.npz"), str(folder / "told.json")], check=True)
    return json.loads((folder / "told.json").read_text())


@pytest.fixture(scope="module")
def con(sweeps) -> duckdb.DuckDBPyConnection:
    con = memory_connection(rows_of(sweeps), {n: q for n, q in standard().items() if n in ASKED})
    con.execute("create table cells as from icephys.cell_features where specimen_id > 0")
    con.execute("create table roles as from icephys.cell_feature_sweeps where specimen_id > 0")
    con.execute("""
        create table legacy_sweeps as
        select s.specimen_id, s.sweep_number, t.response, t.stimulus, s.sampling_rate
        from icephys.sweeps as s join icephys.sweep_traces as t using (specimen_id, sweep_number)
        where s.specimen_id = 0""")
    yield con
    con.close()


def rows(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    relation = con.sql(query)
    return [dict(zip(relation.columns, row, strict=True)) for row in relation.fetchall()]


def is_alike(ours: float | None, theirs: float | None, relative: float = 1e-6) -> bool:
    a, b = (math.nan if x is None else float(x) for x in (ours, theirs))
    return math.isclose(a, b, rel_tol=relative, abs_tol=1e-12) or (math.isnan(a) and math.isnan(b))


LONG = {"input_resistance": "input_resistance_mohm", "tau": "tau", "v_baseline": "v_baseline_mv", "sag": "sag",
        "vm_for_sag": "vm_for_sag_mv", "fi_fit_slope": "f_i_curve_slope", "rheobase_i": "rheobase_i_pa"}  # fmt: skip
HERO = {"adapt": "adaptation", "latency": "latency", "mean_isi": "mean_isi", "stim_amp": "hero_amp_pa"}


def our_name(key: str, kind: str) -> str:
    unit = {"_v": "_mv", "_i": "_pa"}.get(key[-2:], "")
    return f"{key}_{kind}{unit}"


def whole(told: dict[str, Any]) -> dict[str, Any]:
    return {cell: features for cell, features in told["cells"].items() if "error" not in features}


def test_cells_are_refused_where_ours_say_what_is_missing(con, told):
    refused = {int(cell): features["error"] for cell, features in told["cells"].items() if "error" in features}
    ours = {row["specimen_id"]: row["status"] for row in rows(con, "from cells")}
    assert set(refused) == {cell for cell, status in ours.items() if status != "ok"}
    assert {ours[cell] for cell in refused} == {"no_ramps", "short_squares_silent", "no_hero"}


def test_features_of_long_squares_are_the_same(con, told):
    ours = {row["specimen_id"]: row for row in rows(con, "from cells")}
    compared = 0
    for cell, features in whole(told).items():
        row, long = ours[int(cell)], features["long_squares"]
        compared += 1
        assert [n for k, n in LONG.items() if not is_alike(row[n], long[k])] == []
        assert [n for k, n in HERO.items() if not is_alike(row[n], long["hero_sweep"][k])] == []
        assert row["rheobase_sweep_number"] == long["rheobase_sweep"]["id"]
        assert row["hero_sweep_number"] == long["hero_sweep"]["id"]
        first = long["rheobase_sweep"]["spikes"][0]
        for key in features["ramps"]["mean_spike_0"]:
            assert is_alike(row[our_name(key, "long_square")], first.get(key)), key
    assert compared >= 3


def test_first_spikes_of_ramps_and_short_squares_are_the_same(con, told):
    """Of short squares the reference averages those of the most frequent amplitude."""
    ours = {row["specimen_id"]: row for row in rows(con, "from cells")}
    for cell, features in whole(told).items():
        row, short = ours[int(cell)], features["short_squares"]
        assert is_alike(row["short_square_amplitude_pa"], short["stimulus_amplitude"])
        for kind, theirs in (("ramp", features["ramps"]["mean_spike_0"]), ("short_square", short["mean_spike_0"])):
            assert [k for k, x in theirs.items() if not is_alike(row[our_name(k, kind)], x)] == []


def test_sweeps_play_the_same_roles(con, told):
    for cell, features in whole(told).items():
        ours: dict[str, set[int]] = {}
        for row in rows(con, f"from roles where specimen_id = {cell}"):
            ours.setdefault(row["role"], set()).add(row["sweep_number"])
        long, short, ramps = (features[kind] for kind in ("long_squares", "short_squares", "ramps"))
        theirs = {
            "long_square_spiking": long["spiking_sweeps"], "long_square_subthreshold": long["subthreshold_sweeps"],
            "subthreshold_membrane_property": long["subthreshold_membrane_property_sweeps"],
            "short_square_common_amp": short["common_amp_sweeps"], "ramp_spiking": ramps["spiking_sweeps"],
        }  # fmt: skip
        assert {role: ours[role] for role in theirs} == {r: {s["id"] for s in found} for r, found in theirs.items()}


def test_sweeps_by_type_are_the_same(con, told):
    found = {r["sweep_number"]: r for r in rows(con, "from icephys.computed_sweep_features where specimen_id = 1")}
    assert len(told["by_type"]) > 10
    for k, theirs in told["by_type"].items():
        ours = found[int(k)]
        assert (ours["num_spikes"] or 0) == len(theirs["spikes"])
        for key, name in (("avg_rate", "avg_rate"), ("latency", "latency"), ("mean_isi", "mean_isi")):
            assert is_alike(ours[name], theirs.get(key)), (k, key)


LEGACY = {"threshold": "threshold_v", "ISICV": "isi_cv", "trough_i": "f_trough_i", "trough_t": "f_trough_t"}


def test_the_deprecated_extractor_sees_the_same_spikes(con, told):
    ours: dict[int, list[dict[str, Any]]] = {}
    for row in rows(con, "from icephys.legacy_spike_features('legacy_sweeps') order by sweep_number, spike_index"):
        ours.setdefault(row["sweep_number"], []).append(row)
    n_spikes = 0
    for answer in told["legacy"]["sweeps"]:
        theirs = answer["mean"]["spikes"]
        assert len(ours[answer["sweep"]]) == len(theirs)
        n_spikes += len(theirs)
        for row, spike in zip(ours[answer["sweep"]], theirs, strict=True):
            known = {LEGACY.get(key, key): value for key, value in spike.items() if LEGACY.get(key, key) in row}
            assert len(known) > 25
            assert [key for key, value in known.items() if not is_alike(row[key], value)] == []
    assert n_spikes > 500


def test_the_deprecated_extractor_scores_alike(con, told):
    """Deviations from nearly equal means amplify what rounding leaves; the scores are compared at 1e-4."""
    con.execute("create or replace table features as from icephys.legacy_features('legacy_sweeps')")
    con.execute("create or replace table summary as from icephys.legacy_summary('features')")
    values = {(r["sweep_number"], r["feature"]): r for r in rows(con, "from features")}
    for answer in told["legacy"]["sweeps"]:
        for key in ("base_v", "n_spikes", "rate", "adapt", "ISICV", "doublet", "latency", "latency_n30", "isi_avg",
                    "f_peak", "width", "thresh_ramp", "f_slow_ahp_time"):  # fmt: skip
            row = values[answer["sweep"], LEGACY.get(key, key)]
            assert is_alike(row["value"], answer["mean"][key]), key
            if row["deviation"] is not None:
                assert is_alike(row["deviation"], answer["stdev"][key], 1e-4), key
    scores: dict[int, list[float]] = {}
    for row in rows(con, "from icephys.legacy_scores('features', 'summary') order by sweep_number"):
        scores.setdefault(row["sweep_number"], []).append(row["score"])
    for answer, theirs in zip(told["legacy"]["sweeps"], told["legacy"]["scores"], strict=True):
        assert sorted(scores[answer["sweep"]]) == pytest.approx(sorted(theirs), rel=1e-4, abs=1e-6)
