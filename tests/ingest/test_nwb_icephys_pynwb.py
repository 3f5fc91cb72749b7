"""Files that pynwb writes of whatever comes: each sweep is read as pynwb itself reads its series."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brainlake.ingest.contract import Report, Source, made_id
from brainlake.ingest.nwb_file import NwbFile
from brainlake.ingest.nwb_icephys_sweeps import Piece, find_sweeps

pynwb = pytest.importorskip("pynwb")
from pynwb import icephys  # noqa: E402 - behind the check that it is there

# response -> the stimulus that goes with it
PAIRS = {
    icephys.CurrentClampSeries: icephys.CurrentClampStimulusSeries,
    icephys.VoltageClampSeries: icephys.VoltageClampStimulusSeries,
    icephys.IZeroClampSeries: None,
}


def write(path: Path, rng: np.random.Generator) -> None:
    """Up to three electrodes; numbers in any order and with holes; samples of any type, conversion, offset and clock."""
    nwb = pynwb.NWBFile("anything", f"recording {rng.integers(1 << 30)}", datetime(2022, 3, 4, tzinfo=UTC))
    device = nwb.create_device("amplifier")
    for name in "abc"[: int(rng.integers(1, 4))]:
        electrode = nwb.create_icephys_electrode(name=f"electrode {name}", description="", device=device)
        for number in rng.choice(40, int(rng.integers(1, 5)), replace=False):
            response = list(PAIRS)[int(rng.integers(3))]
            clock = _clock(rng)
            nwb.add_acquisition(_series(rng, response, f"response {name} {number}", electrode, number, clock))
            stimulus = PAIRS[response]
            if stimulus and rng.random() < 0.8:
                nwb.add_stimulus(_series(rng, stimulus, f"stimulus {name} {number}", electrode, number, clock))
    with pynwb.NWBHDF5IO(str(path), "w") as io:
        io.write(nwb)


def _clock(rng: np.random.Generator) -> dict[str, Any]:
    rate, start = float(rng.choice([10_000.0, 24_414.0625, 1e5 / 3])), float(rng.uniform(0, 100))
    if rng.random() < 0.3:
        return {"timestamps": start + np.arange(50) / rate}
    return {"rate": rate, "starting_time": start}


def _series(rng: np.random.Generator, kind: Any, name: str, electrode: Any, number: int, clock: dict[str, Any]) -> Any:
    dtype = [np.int16, np.int32, np.float32, np.float64][int(rng.integers(4))]
    data = rng.normal(0, 300, 50).astype(dtype)
    given: dict[str, Any] = {"conversion": float(rng.choice([1.0, 1e-3, 1e-12, 3.0517578125e-7])), **clock}
    if rng.random() < 0.3:
        given["offset"] = float(rng.normal(0, 0.1))
    if kind is not icephys.IZeroClampSeries:
        given["gain"] = float(rng.uniform(0.1, 10))
    return kind(name=name, data=data, electrode=electrode, sweep_number=np.uint64(number), **given)


@pytest.mark.parametrize("seed", range(8))
def test_every_series_of_a_sweep_is_read_as_pynwb_reads_it(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "anything.nwb"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write(path, np.random.default_rng(seed))
        with (
            pynwb.NWBHDF5IO(str(path), "r") as io,
            NwbFile.open(Source(path, path.name)) as opened,
        ):
            nwb = io.read()
            report = Report()
            sweeps = find_sweeps(opened, report).sweeps
            several = len({response.electrode.name for response in nwb.acquisition.values()}) > 1
            assert {sweep.response.series.name for sweep in sweeps} == set(nwb.acquisition)
            given = {sweep.stimulus.series.name for sweep in sweeps if sweep.stimulus}
            assert given == set(nwb.stimulus)
            assert report.warnings == []
            for sweep in sweeps:
                response = nwb.acquisition[sweep.response.series.name]
                assert sweep.sweep_number == response.sweep_number
                place = f"/general/intracellular_ephys/{response.electrode.name}" if several else ""
                assert sweep.specimen_id == made_id(nwb.identifier, place)
                _assert_same(sweep.response, response)
                if sweep.stimulus:
                    _assert_same(sweep.stimulus, nwb.stimulus[sweep.stimulus.series.name])


def _assert_same(ours: Piece, theirs: Any) -> None:
    values = theirs.data[:].astype(np.float64) * theirs.conversion + theirs.offset
    limit = 1e-12 if ours.samples().dtype == np.float64 else 2.4e-7
    scale = np.abs(values).max() + abs(theirs.offset)  # where samples and offset cancel, single precision shows
    np.testing.assert_allclose(ours.samples(), values, rtol=0, atol=limit * scale)
    stamps = theirs.timestamps
    rate = theirs.rate if stamps is None else (len(stamps) - 1) / (stamps[-1] - stamps[0])
    assert ours.series.sampling_rate == pytest.approx(rate, rel=1e-9)
    assert ours.start_time == (theirs.starting_time if stamps is None else stamps[0])
    assert ours.series.electrode == f"/general/intracellular_ephys/{theirs.electrode.name}"
