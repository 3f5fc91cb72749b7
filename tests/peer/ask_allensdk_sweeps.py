"""Run by the Allen SDK's Python: what its NwbDataSet reads of a file. Arguments: file answers.npz."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any


def main(path: Path, answers: Path) -> None:
    import numpy as np
    from allensdk.core.nwb_data_set import NwbDataSet

    data, told = NwbDataSet(str(path)), dict[str, Any]()
    told["experiments"] = data.get_experiment_sweep_numbers()
    for number in data.get_sweep_numbers():
        sweep = data.get_sweep(number)
        told |= {f"{number}/{name}": sweep[name] for name in ("stimulus", "response", "index_range", "sampling_rate")}
        told[f"{number}/unit"] = sweep["stimulus_unit"]
        told[f"{number}/spike_times"] = data.get_spike_times(number)
    np.savez(answers, **told)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
