"""GLIF runs beside those of the Allen SDK: generated models of every level, with odd parameters, and real ones.

Runs where $BRAINLAKE_PEER_PYTHON names a Python that has the SDK (2.16.2).
"""

from __future__ import annotations

import json
import os
import subprocess
import tarfile
from pathlib import Path

import numpy as np
import pytest
from brainlake.tests.fixtures.model_files import LEVELS, glif_config
from brainlake.udfs.glif import simulate_glif
from brainlake.udfs.glif_neuron import GlifNeuron

PYTHON = os.environ.get("BRAINLAKE_PEER_PYTHON")
pytestmark = pytest.mark.skipif(not PYTHON, reason="BRAINLAKE_PEER_PYTHON names no Python with the Allen SDK")

DT = 5e-5
OUTPUTS = {
    "voltage": "voltage", "threshold": "threshold", "AScurrents": "ascurrents", "grid_spike_times": "grid_spike_times",
    "spike_time_steps": "spike_time_steps", "interpolated_spike_times": "interpolated_spike_times",
    "interpolated_spike_voltage": "interpolated_spike_voltage",
    "interpolated_spike_threshold": "interpolated_spike_threshold",
}  # fmt: skip


def stimulus():
    """A step, noise that makes most models spike, and a last pulse whose spike's gap outlasts the sweep."""
    rng = np.random.default_rng(3)
    t = np.arange(40_000) * DT
    current = np.where((t > 0.3) & (t < 1.0), 250e-12, 0.0)
    current += np.where(t > 1.2, rng.normal(150e-12, 120e-12, len(t)), 0.0)
    current[-40:] = 5e-9
    return current


def odd():
    """Models at the edges: no gap, a reset above the threshold, factors, currents at the start."""
    factors = {"a": 1.1, "b": 1.2, "G": 1.2, "C": 0.9, "th_inf": 0.9, "asc_amp_array": [0.5, 2.0]}
    models = {f"factors {n}": glif_config(n, El=0.001, coeffs=factors) for n in LEVELS}
    models |= {f"no gap {n}": glif_config(n, spike_cut_length=0) for n in LEVELS}
    models |= {f"started {n}": glif_config(n, init_voltage=0.01, init_AScurrents=[1e-11, 0.0]) for n in (3, 4, 5)}
    for cut in (0, 60):
        above = glif_config(2, spike_cut_length=cut)
        above["voltage_reset_method"]["params"]["b"] = 0.2
        models[f"reset above, gap {cut}"] = above
    return models


def archive(path, n):
    """Some models of Teeter et al., from all over the archive."""
    with tarfile.open(path) as found:
        members = [m for m in found if m.name.endswith("neuron_config.json")]
        return {m.name.rsplit("/", 1)[-1]: json.load(found.extractfile(m)) for m in members[:: len(members) // n]}


def compare(models, folder: Path):
    current = stimulus()
    (folder / "configs.json").write_text(json.dumps(models))
    np.savez(folder / "stimulus.npz", stimulus=current, dt=DT)
    files = [folder / name for name in ("configs.json", "stimulus.npz", "runs.npz")]
    subprocess.run([PYTHON, Path(__file__).parent / "ask_allensdk_glif.py", *files], check=True)
    told = np.load(folder / "runs.npz")
    n_spikes = 0
    for name, config in models.items():
        neuron = GlifNeuron(config, DT)
        for run in (simulate_glif(neuron, current), neuron.run(current)):
            n_spikes += len(run.spike_time_steps)
            for output, ours in OUTPUTS.items():
                theirs = told[f"{name}/{output}"]
                scale = np.nanmax(np.abs(theirs), initial=1e-12)
                found = np.asarray(getattr(run, ours), float).reshape(theirs.shape)
                np.testing.assert_allclose(found, theirs, rtol=0, atol=1e-9 * scale, err_msg=f"{name}: {output}")
    return n_spikes


def test_models_at_the_edges_step_as_the_sdk_s(tmp_path):
    assert compare(odd(), tmp_path) > 500


def test_real_models_step_as_the_sdk_s(real_data, tmp_path):
    models = archive(real_data("models/glif_teeter2018_mouse_configs.tar.gz"), 60)
    assert compare(models, tmp_path) > 2_000
