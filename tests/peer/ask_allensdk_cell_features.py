"""Run by the Allen SDK's Python: cell features, sweeps by type, and the deprecated extractor. Arguments: sweeps.npz answers.json.

sweeps.npz holds v<k> (V) and i<k> (A) of each sweep k, `rates` (Hz), `cells`, `names` and `starts` (sample after the
test pulse). An answer is {"cells": {cell: features or error}, "by_type": {sweep: features}, "legacy": [...], "scores"}.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import warnings

import numpy as np


class Recording:
    """What the SDK's functions ask of a file."""

    def __init__(self, given, of):
        self.given, self.of = given, of

    def get_sweep(self, k):
        v = self.given[f"v{k}"]
        return {
            "response": v, "stimulus": self.given[f"i{k}"], "sampling_rate": float(self.given["rates"][k]),
            "index_range": (int(self.given["starts"][k]), len(v) - 1),
        }  # fmt: skip

    def named(self, name):
        return [k for k in self.of if self.given["names"][k] == name]


def plain(value):
    if hasattr(value, "as_dict"):
        return {**value.as_dict(), "spikes": [dict(spike) for spike in value.spikes()]}
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    return value.item() if isinstance(value, np.generic) else value


def cell(recording):
    from allensdk.ephys import extract_cell_features

    kinds = ("Ramp", "Short Square", "Long Square")
    try:
        return plain(extract_cell_features.extract_cell_features(recording, *map(recording.named, kinds)))
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"}


def legacy(recording, onset, duration):
    from allensdk.ephys.feature_extractor import EphysFeatureExtractor, EphysFeatures

    extractor, told = EphysFeatureExtractor(), []
    for k in recording.of:
        sweep = recording.get_sweep(k)
        v, i = sweep["response"] * 1e3, sweep["stimulus"] * 1e12
        t = np.arange(len(v)) * (1.0 / sweep["sampling_rate"])
        try:
            extractor.process_instance(str(k), v, i, t, onset, duration, "Long Square")
            last = extractor.feature_list[-1]
            told.append({"sweep": k, "mean": plain(last.mean), "stdev": plain(last.stdev)})
        except Exception as error:
            told.append({"sweep": k, "error": f"{type(error).__name__}: {error}"})
    summary = EphysFeatures("summary")
    extractor.summarize(summary)
    extractor.push_summary(summary)
    scores = [plain(extractor.score_feature_set(n)) for n in range(len(extractor.feature_list))]
    return {"sweeps": told, "scores": scores, "summary": plain(summary.mean), "deviation": plain(summary.stdev)}


def main(sweeps, answers):
    from allensdk.ephys import extract_cell_features

    warnings.simplefilter("ignore")
    with np.load(sweeps) as file:
        given = dict(file)
    everything = range(len(given["rates"]))
    told = {"cells": {}}
    with contextlib.redirect_stdout(io.StringIO()):
        for one in sorted(set(given["cells"].tolist()) - {0}):
            recording = Recording(given, [k for k in everything if given["cells"][k] == one])
            told["cells"][str(one)] = cell(recording)
            if one == 1:
                kinds = {name: recording.named(name) for name in ("Ramp", "Short Square", "Long Square")}
                told["by_type"] = plain(extract_cell_features.extract_sweep_features(recording, kinds))
        told["legacy"] = legacy(Recording(given, [k for k in everything if given["cells"][k] == 0]), 1.02, 1.0)
    with open(answers, "w") as file:
        json.dump(told, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
