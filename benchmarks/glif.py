"""GLIF models simulated: SQL over configurations and stimuli, against the Allen SDK stepping the same ones."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import brainlake
import numpy as np
from brainlake.tests.fixtures.model_files import LEVELS, glif_config

from .counting import ALLENSDK
from .material import Material
from .measure import Row, faster, milliseconds

DT, SECONDS, N_MODELS, N_STIMULI = 5e-5, 3.0, 200, 10
SCRIPT = Path(__file__).parent.parent / "tests" / "peer" / "ask_allensdk_glif.py"
RUN = "select sum(n_spikes)::bigint from models.simulate_glif('my_models', 'my_stimuli', traces := {})"


def simulating(material: Material) -> list[Row]:
    """A model of each level on one noisy stimulus; then many models on many stimuli."""
    rng = np.random.default_rng(0)
    stimuli = rng.normal(150e-12, 120e-12, (N_STIMULI, round(SECONDS / DT)))
    levels = {f"level {level}": glif_config(level) for level in LEVELS}
    path = material.directory / "models"
    with brainlake.create(path) if not path.exists() else brainlake.open(path) as lake:
        five = _tables(list(levels.values()), stimuli[:1])
        many = _tables([glif_config(1 + n % 5, R_input=2.5e8 + n * 1e5) for n in range(N_MODELS)], stimuli)
        spikes = milliseconds(lambda: lake.sql(RUN.format(False), tables=five).arrow(), 5)
        traces = milliseconds(lambda: lake.sql(RUN.format(True), tables=five).arrow(), 5)
        all_many = milliseconds(lambda: lake.sql(RUN.format(False), tables=many).arrow(), 2)
        found = lake.sql(RUN.format(False), tables=five).pl().item()
    simulated = len(levels) * SECONDS
    rows = [
        Row("five levels, 3 s of noise each: simulated s per s", simulated * 1e3 / spikes, "s/s"),
        Row(f"{N_MODELS} models × {N_STIMULI} stimuli of 3 s: simulated s per s", N_MODELS * N_STIMULI * SECONDS * 1e3 / all_many, "s/s"),
    ]  # fmt: skip
    if python := os.environ.get(ALLENSDK):
        sdk_ms, sdk_spikes = _allensdk(python, material.directory, levels, stimuli[0])
        if sdk_spikes != found:
            raise RuntimeError(f"the Allen SDK counts {sdk_spikes} spikes, ours are {found}")
        rows += [
            faster("five levels, spikes out", spikes, sdk_ms, "Allen SDK, stepping alone", 10),
            faster("five levels, traces out", traces, sdk_ms, "Allen SDK, stepping alone", 10),
        ]
    return rows


def _tables(configs: list[dict[str, Any]], stimuli: np.ndarray) -> dict[str, Any]:
    """The relations that the question names, as the user's own."""
    return {
        "my_models": {
            "neuronal_model_id": np.arange(len(configs)),
            "config_json": [json.dumps(config) for config in configs],
        },
        "my_stimuli": {"stimulus_id": np.arange(len(stimuli)), "stimulus": list(stimuli)},
    }


def _allensdk(python: str, folder: Path, models: dict[str, dict[str, Any]], stimulus: np.ndarray) -> tuple[float, int]:
    """Milliseconds of stepping, and spikes, of the SDK in its own Python."""
    files = [folder / name for name in ("glif_configs.json", "glif_stimulus.npz", "glif_runs.npz")]
    files[0].write_text(json.dumps(models))
    np.savez(files[1], stimulus=stimulus, dt=DT)
    subprocess.run([python, SCRIPT, *files], check=True)
    told = np.load(files[2])
    return float(told["seconds"]) * 1e3, sum(len(told[f"{name}/spike_time_steps"]) for name in models)
