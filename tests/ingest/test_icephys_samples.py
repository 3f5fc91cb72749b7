"""Samples of sweeps come back to the last bit, whatever form they are kept in; envelopes hold their extremes."""

from __future__ import annotations

import numpy as np
import pytest
from brainlake.ingest.icephys_samples import envelopes, quantised, trace_rows
from brainlake.lake.questions import standard
from brainlake.tests.fixtures.memory import memory_connection
from brainlake.tests.fixtures.reading import gather
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

RNG = np.random.default_rng(7)
STEPS = np.rint(RNG.normal(-2_200, 60, 20_000)).astype(np.int32)
DIGITISED = {
    "one rounding": (STEPS * 3.125e-5).astype(np.float32),
    "millivolts times a factor": (STEPS * 0.03125).astype(np.float32) * np.float32(1e-3),
    "three roundings": (STEPS / np.float32(3_200)).astype(np.float32) * np.float32(0.1) * np.float32(1e-3),
    "an offset": (STEPS * 3.125e-5 - 0.0131).astype(np.float32),
    "silent": np.full(20_000, -0.07, np.float32),
    "double precision": STEPS.astype(np.int16) * 1.7e-9,
    "cut off": np.where(np.arange(20_000) < 15_000, STEPS * 3.125e-5, np.nan).astype(np.float32),
    "filled up": np.where(np.arange(20_000) < 15_000, STEPS * 3.125e-5, 0).astype(np.float32),
}
OTHER = {
    "simulated": RNG.normal(-0.07, 0.001, 20_000).astype(np.float32),
    "simulated in double precision": RNG.normal(-0.07, 0.001, 20_000),
    "infinite": np.array([0, np.inf, 1, -np.inf, np.nan] * 100, np.float32),
    "a negative zero": np.array([0.0, -0.0, 1.0, 2.0] * 100, np.float32),
    "one sample": np.array([-0.07], np.float32),
    "empty": np.empty(0, np.float32),
}


def read_back(response: np.ndarray, stimulus: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray | None]:
    """Response and stimulus as icephys.sweep_traces shows them."""
    tables = gather(trace_rows(1, 1, stimulus, response))
    shown = {name: question for name, question in standard().items() if name == "icephys.sweep_traces"}
    with memory_connection({"icephys.stored_traces": tables["icephys.stored_traces"]}, shown) as con:
        row = con.sql("select response, stimulus from icephys.sweep_traces").to_arrow_table()
    given = row["stimulus"].chunk(0)
    return row["response"].chunk(0).values.to_numpy(), given.values.to_numpy() if given.null_count == 0 else None


@pytest.mark.parametrize("name", [*DIGITISED, *OTHER])
def test_samples_come_back_to_the_last_bit(name: str) -> None:
    values = {**DIGITISED, **OTHER}[name]
    response, stimulus = read_back(values, values)
    expected = values.astype(np.float32)
    is_number = ~np.isnan(expected)
    for got in (response, stimulus):
        assert got is not None
        assert got.dtype == np.float32
        assert np.array_equal(np.isnan(got), ~is_number)
        assert np.array_equal(got[is_number].view(np.int32), expected[is_number].view(np.int32))


@pytest.mark.parametrize("name", DIGITISED)
def test_a_digitisers_samples_are_kept_as_its_steps(name: str) -> None:
    found = quantised(DIGITISED[name])
    assert found is not None
    codes, levels = found
    assert np.array_equal(levels[codes], DIGITISED[name].astype(np.float64), equal_nan=True)
    inside = ~np.isnan(DIGITISED[name])
    if name != "filled up":  # zeros lie off the other samples by whole steps as well, only far away
        assert len(levels) <= np.ptp(STEPS) + 2
    steps = np.zeros_like(STEPS) if name == "silent" else STEPS
    assert np.array_equal(np.diff(codes[inside][:15_000].astype(int)), np.diff(steps[inside][:15_000]))


@pytest.mark.parametrize("name", OTHER)
def test_other_samples_are_kept_as_they_are(name: str) -> None:
    assert quantised(OTHER[name]) is None


@given(arrays.arrays(np.float32, st.integers(0, 200), elements=st.floats(width=32)))
@settings(max_examples=200, deadline=None)
def test_whatever_is_taken_for_steps_comes_back(values: np.ndarray) -> None:
    with np.errstate(all="ignore"):
        found = quantised(values)
    if found is not None:
        back = found[1].astype(np.float32)[found[0]]
        is_number = ~np.isnan(values)
        assert np.array_equal(back[is_number].view(np.int32), values[is_number].view(np.int32))
        assert np.isnan(back[~is_number]).all()


def test_double_precision_is_kept_beside_where_single_precision_does_not_hold_it() -> None:
    values = OTHER["simulated in double precision"]
    row = gather(trace_rows(1, 1, values.astype(np.float32), values))["icephys.stored_traces"].to_pylist()[0]
    assert row["response_exact"] == values.tolist()
    assert row["stimulus_exact"] is None
    coded = gather(trace_rows(1, 1, None, DIGITISED["double precision"]))["icephys.stored_traces"].to_pylist()[0]
    assert coded["response_exact"] is None  # the levels are exact
    assert set(coded["response_levels"]) >= set(DIGITISED["double precision"])


@pytest.mark.parametrize("n", [1, 255, 256, 257, 4_096, 70_000])
def test_an_envelope_holds_the_extremes_and_the_mean_of_every_bin(n: int) -> None:
    response = RNG.normal(0, 1, n).astype(np.float32)
    response[n // 2] = np.nan
    stimulus = RNG.normal(0, 1, n).astype(np.float32)
    zooms = dict(envelopes(stimulus, response))
    assert list(zooms) == [b for b, finer in ((256, 1), (4_096, 256), (65_536, 4_096)) if n > finer]
    for bin_samples, zoom in zooms.items():
        cuts = range(0, n, bin_samples)
        parts = [response[cut : cut + bin_samples].astype(np.float64) for cut in cuts]
        assert zoom["response_min"].tolist() == [np.nanmin(part) for part in parts]
        assert zoom["response_max"].tolist() == [np.nanmax(part) for part in parts]
        np.testing.assert_allclose(zoom["response_mean"], [np.nanmean(part) for part in parts], rtol=1e-6, atol=1e-9)
        assert zoom["stimulus_max"].tolist() == [stimulus[cut : cut + bin_samples].max() for cut in cuts]


def test_a_bin_without_a_number_is_none() -> None:
    zoom = dict(envelopes(None, np.full(300, np.nan, np.float32)))[256]
    assert np.isnan(zoom["response_min"]).all()
    assert np.isnan(zoom["response_mean"]).all()
    assert "stimulus_min" not in zoom
