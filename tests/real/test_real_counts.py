"""Real Neuropixels spikes as an oracle: 200 presentations × 1,000 units, whose counts somebody else made."""

from __future__ import annotations

import brainlake
import numpy as np
import pyarrow as pa
import pytest
from brainlake.lake.writer import IngestWriter

SESSION = 715093703


@pytest.fixture(scope="module")
def arrays(request):
    real_data = request.getfixturevalue("real_data")
    folder = real_data("neuropixels/spikeship_allen")
    times, bounds = np.load(folder / "spike_times.npy"), np.load(folder / "ii_spike_times.npy")
    return times, bounds, np.load(folder / "stim_label.npy")


@pytest.fixture(scope="module")
def lake(arrays, tmp_path_factory):
    """The windows laid one after the other, a second apart: presentation p begins at p seconds."""
    times, bounds, _ = arrays
    n_presentations, n_units, _ = bounds.shape
    with brainlake.create(tmp_path_factory.mktemp("real") / "lake") as lake:
        trains = [
            np.concatenate([p + np.sort(times[slice(*bounds[p, u])]) for p in range(n_presentations)])
            for u in range(n_units)
        ]
        kept = [u for u in range(n_units) if len(trains[u])]
        with IngestWriter(
            lake.catalog, subject=f"ecephys.session/{SESSION}", role="session_nwb", source_url="arrays", source_size=0,
            source_sha256="", reader="test", reader_version="1", options={}, parts=["spikes"],
        ) as out:  # fmt: skip
            out.write(
                "ecephys.spike_trains",
                {
                    "session_id": SESSION,
                    "time_block": 0,  # 200 s
                    "unit_id": kept,
                    "n_spikes": [len(trains[u]) for u in kept],
                    "spike_times": pa.array([trains[u] for u in kept], pa.list_(pa.float64())),
                },
            )
            out.commit()
        lake.refresh()
        yield lake


COUNTS = """
    with units as (select 715093703 as session_id, unnest(range(1000)) as unit_id),
    windows as (
        select 715093703 as session_id, p as window_id, p::double as start_time, p + 0.5 as stop_time
        from range(200) as presentations(p))
    from ecephys.spike_counts('units', 'windows')
"""


def test_counts_equal_the_published_ones_zeros_included(lake, arrays):
    _, bounds, _ = arrays
    counts = lake.sql(COUNTS).to_xarray(["window_id", "unit_id"], values="spike_count")
    assert counts.shape == (200, 1000)
    assert counts.dtype == np.int32  # the full product, so no NaN was needed
    assert np.array_equal(counts.to_numpy(), bounds[..., 1] - bounds[..., 0])
    assert int(counts.sum()) == 153_635  # data README


def test_mean_counts_per_orientation_equal_numpys(lake, arrays):
    _, bounds, label = arrays
    expected = (bounds[..., 1] - bounds[..., 0]).sum(axis=1)
    labels = {"window_id": np.arange(200), "orientation": label}
    found = lake.sql(
        f"""
        select l.orientation, sum(c.spike_count) as n_spikes, count(distinct c.window_id) as n_windows
        from ({COUNTS}) as c
        join labels as l using (window_id)
        group by all
        order by all
        """,
        tables={"labels": labels},
    ).to_numpy()
    assert found["n_windows"].tolist() == [50, 50, 50, 50]
    assert found["n_spikes"].tolist() == [int(expected[label == o].sum()) for o in (0, 45, 90, 135)]


def test_every_spike_is_there_with_its_time(lake, arrays):
    times, _, _ = arrays
    found = lake.sql("select spike_time - floor(spike_time) as time_in_window from ecephys.spikes").to_numpy()
    assert len(found) == 153_635
    # p + t loses at most half a unit in the last place of p + t, which is below 200 s
    assert np.allclose(np.sort(found), np.sort(times), rtol=0, atol=np.spacing(200.0))
