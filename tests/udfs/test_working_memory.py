"""Working memory of kernels: given again once it is free, never twice at once."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from brainlake.tests.fixtures.allen_icephys import make_cell
from brainlake.udfs import working_memory
from brainlake.udfs.registry import Ragged
from brainlake.udfs.spike_features import spike_features
from brainlake.udfs.working_memory import empty, reused

LARGE = 1 << 16


@pytest.fixture(autouse=True)
def _nothing_free(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working_memory, "_free", [])


def start_of(array: np.ndarray) -> int:
    return int(array.ctypes.data)


def test_memory_is_given_again_after_its_use():
    with reused():
        first = start_of(empty(LARGE))
    with reused():
        assert start_of(empty(LARGE - 1)) == first


def test_arrays_in_use_share_no_memory():
    with reused():
        arrays = [empty(LARGE) for _ in range(4)]
        with reused():
            arrays += [empty(LARGE) for _ in range(4)]
        arrays.append(empty(LARGE))  # what the inner use gave back may be taken again, and is not used any more
        outer = [*arrays[:4], arrays[-1]]
        for k, array in enumerate(outer):
            array[:] = k
        assert [set(array.tolist()) for array in outer] == [{k} for k in range(5)]


def test_what_is_asked_for_outside_of_a_use_is_ones_own():
    own = empty(LARGE)
    with reused():
        assert start_of(empty(LARGE)) != start_of(own)


def test_memory_comes_back_where_a_kernel_raises():
    try:
        with reused():
            first = start_of(empty(LARGE))
            raise ValueError
    except ValueError:
        pass
    with reused():
        assert start_of(empty(LARGE)) == first


def test_sweeps_measured_by_many_threads_at_once_have_the_features_that_one_thread_finds():
    """Lengths differ from thread to thread, so that memory of one fits another."""
    cells = [make_cell(sampling_rate=50_000.0, amplitudes=(250.0,), step=0.5 + 0.1 * k) for k in range(4)]
    sweeps = [next(s for s in cell.sweeps if s.stimulus_name == "Long Square") for cell in cells]

    def told(k: int) -> np.ndarray:
        nan, one = np.full(2, np.nan), np.ones(2)
        found = spike_features(
            _packed(sweeps[k].response, 2), Ragged.of([[], []]), 50_000.0 * one, nan, nan, 10 * one, 20 * one,
            0.005 * one, 2 * one, -30 * one, 0.05 * one, np.zeros(2, bool),
        )  # fmt: skip
        spikes = found["spikes"].values  # type: ignore[attr-defined]
        return np.nan_to_num(np.stack([spikes[name] for name in ("peak_v_mv", "upstroke", "fast_trough_t")]))

    alone = [told(k) for k in range(4)]
    assert all(values.shape[1] >= 4 for values in alone)
    found: dict[tuple[int, int], np.ndarray] = {}

    def measure(k: int) -> None:
        for again in range(8):
            found[k, again] = told(k)

    threads = [threading.Thread(target=measure, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 32
    for (k, _), values in found.items():
        np.testing.assert_array_equal(values, alone[k])


def _packed(samples: np.ndarray, n: int) -> dict[str, Ragged]:
    """Some sweeps of the same samples, as they are stored: steps, low bytes before high bytes, and their levels."""
    levels, steps = np.unique(samples, return_inverse=True)
    packed = steps.astype("<u2").view(np.uint8).reshape(-1, 2).T.ravel()
    return {"bytes": Ragged.of([packed] * n), "levels": Ragged.of([levels] * n, np.float64)}
