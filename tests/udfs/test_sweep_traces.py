"""Samples read alike, whole and in parts, however they are packed: compiled or not, as lists or bytes."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from brainlake.ingest.icephys_samples import packed, quantised
from brainlake.lake.functions import register_functions
from brainlake.udfs import sweep_traces
from brainlake.udfs.compiling import compiled
from brainlake.udfs.sweep_traces import PackedSamples

RNG = np.random.default_rng(11)
STEPS = (np.round(RNG.normal(0, 300, 140_000)) * 3.125e-5).astype(np.float32)  # V, as a digitiser tells them
STEPS[40_000:120_000] = 0  # constant over more than one block
NOISE = RNG.normal(size=140_000).astype(np.float32)


def as_packed(samples: np.ndarray) -> PackedSamples:
    coded = quantised(samples)
    codes, levels = coded if coded else (samples, np.empty(0))
    return PackedSamples(np.frombuffer(packed(codes), np.uint8), levels)


@pytest.mark.parametrize("is_compiled", [True, False])
@pytest.mark.parametrize("samples", [STEPS, NOISE], ids=["steps", "floats"])
def test_packed_samples_read_as_the_array_they_are_of(
    samples: np.ndarray, is_compiled: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep_traces, "when_compiling", compiled if is_compiled else lambda loop: None)
    read = as_packed(samples)
    assert read.shape == samples.shape
    assert np.array_equal(np.asarray(read), samples)
    assert np.array_equal(np.asarray(read[1_000:139_000]), samples[1_000:139_000])
    assert len(read[139_990:200_000]) == 10
    at = np.array([7, 139_999, 7])
    assert np.array_equal(read[at], samples[at])
    assert (read[5], read[-1]) == (samples[5], samples[-1])
    assert np.array_equal(read.times(1e3), samples * np.float64(1e3))


def test_a_step_beyond_the_levels_is_the_last_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """As bytes may be damaged, which must not read past them."""
    for way in (compiled, lambda loop: None):
        monkeypatch.setattr(sweep_traces, "when_compiling", way)
        for n in (10, sweep_traces._FEW, sweep_traces._BLOCK):
            codes = np.full(n, 9, np.uint16)
            read = PackedSamples(np.frombuffer(packed(codes), np.uint8), np.array([1.0, 2.0]))
            assert set(np.asarray(read).tolist()) == {2.0}


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        register_functions(con)
        yield con


STEP = [0.0] * 5_000 + [5e-11] * 10_000  # A, changes at 0.5 s of 10 kHz


def test_a_kernel_takes_samples_in_any_form(con: duckdb.DuckDBPyConnection) -> None:
    codes = pa.array([packed(np.repeat(np.array([0, 1], np.uint16), [5_000, 10_000]))], pa.binary())
    con.register("given", pa.table({"bytes": codes, "plain": pa.array([STEP], pa.list_(pa.float32()))}))
    forms = ("plain", "plain::double[]", "{'bytes': bytes, 'levels': [0.0, 5e-11]}", "[x * 1e12 for x in plain]::int[]")
    for form in forms:
        assert con.execute(f"select stimulus_start_time({form}, 10000) from given").fetchall() == [(0.5,)], form
    assert con.execute("select stimulus_start_time(null, 10000)").fetchall() == [(None,)]
    assert con.execute("select stimulus_start_time(plain, null) from given").fetchall() == [(None,)]


def test_a_kernel_says_which_forms_it_takes(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(duckdb.Error, match=r"FLOAT\[\] \| DOUBLE\[\] \| STRUCT.* is wanted, not string"):
        con.sql("select stimulus_start_time('0 0 1 1', 10000)").fetchall()
