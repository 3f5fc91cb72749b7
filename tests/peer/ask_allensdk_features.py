"""Run by the Allen SDK's Python: what its feature extractor says of sweeps. Arguments: sweeps.npz answers.json.

sweeps.npz holds v<k> (mV), i<k> (pA), rate<k> (Hz) and options<k> (JSON of keyword arguments) for each sweep k.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def answer(v: np.ndarray, i: np.ndarray, rate: float, options: dict[str, Any]) -> dict[str, Any]:
    from allensdk.ephys import ephys_extractor

    t = np.arange(len(v)) * (1.0 / rate)
    sweep = ephys_extractor.EphysSweepFeatureExtractor(t, v, i, **options)
    begun = time.perf_counter()
    sweep.process_spikes()
    told = {
        "seconds": time.perf_counter() - begun,
        "spikes": list(sweep.spikes()),
        "sweep": {key: sweep.sweep_feature(key) for key in sweep.sweep_feature_keys()},
    }
    asked: dict[str, Callable[[], Any]] = {
        "v_baseline": lambda: sweep.sweep_feature("v_baseline"),
        "peak_deflect": lambda: sweep.sweep_feature("peak_deflect"),
        "tau": lambda: sweep.sweep_feature("tau"),
        "sag": lambda: sweep.sweep_feature("sag"),
        "pauses": sweep.pause_metrics,
        "bursts": sweep.burst_metrics,
        "delay": sweep.delay_metrics,
        "our_delay_tau": lambda: our_delay_tau(v, t, options["start"], sweep.spike_feature("threshold_t")[0]),
    }
    for name, ask in asked.items():
        try:
            told[name] = ask()
        except Exception as error:
            told[name] = f"{type(error).__name__}: {error}"
    return told


def our_delay_tau(v: np.ndarray, t: np.ndarray, start: float, spike_time: float) -> float:
    """Ours with this Python's numerical library: from a singular start each finds something else (SF-12)."""
    from udfs.membrane_fits import fit_prespike_time_constant

    return fit_prespike_time_constant(v, t, start, spike_time)


def plain(value: Any) -> Any:
    if isinstance(value, (np.floating, np.integer, np.bool_)):
        return value.item()
    return value.tolist() if isinstance(value, np.ndarray) else str(value)


def main(sweeps: str, answers: str) -> None:
    from allensdk.ephys import ephys_features

    warnings.simplefilter("ignore")
    # Under Python 3 its burst scores consume what they iterate over, and raise; a list is what it was written for.
    ephys_features.zip = lambda *columns: list(zip(*columns, strict=False))
    # A folder without dependencies of ours but numpy and scipy.
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    given = np.load(sweeps)
    told = []
    for k in range(sum(name.startswith("v") for name in given)):
        options = json.loads(str(given[f"options{k}"]))
        try:
            told.append(answer(given[f"v{k}"], given[f"i{k}"], float(given[f"rate{k}"]), options))
        except Exception as error:
            told.append({"error": f"{type(error).__name__}: {error}"})
    Path(answers).write_text(json.dumps(told, default=plain))


if __name__ == "__main__":
    main(*sys.argv[1:])
