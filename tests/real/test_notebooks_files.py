"""Notebooks on real files: their numbers are those of the files, read by others."""

from __future__ import annotations

import zlib
from pathlib import Path

import brainlake
import numpy as np
import pytest
from brainlake.tests.conftest import REAL_DATA
from brainlake.tests.fixtures.notebook_runs import run_notebook

VISUAL = (385, 593, 821, 721, 778, 33, 305, 409, 421, 973, 573, 613, 74, 121)  # VISp, VISl and their layers


@pytest.mark.slow
def test_the_reference_space_is_shown_of_the_published_annotation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [REAL_DATA / "ccf" / name for name in ("structures.json", "annotation_25.nrrd")]
    if not all(file.exists() for file in files):
        pytest.skip("the annotation of the reference space is not at hand")
    with brainlake.create(tmp_path / "lake") as lake:
        lake.ingest(files[0]).raise_failed()
        lake.ingest(files[1], settings={"version": "ccf_2017"}).raise_failed()
    ran = run_notebook(
        "reference_space",
        "[mask.shape, int(mask.sum()), track.pl().select('acronym', 'n_points').rows()]",
        tmp_path / "lake", tmp_path, monkeypatch,
    )  # fmt: skip
    packed = files[1].read_bytes()
    labels = np.frombuffer(zlib.decompress(packed[packed.index(b"\n\n") + 2 :], 47), "<u4").reshape(456, 320, 528)
    shape, n_visual, track = ran.answer
    assert shape == [528, 320, 456]
    assert n_visual == np.count_nonzero(np.isin(labels, VISUAL))
    along = [labels[6900 // 25, depth // 25, 8000 // 25] for depth in range(0, 8000, 100)]
    assert sorted(n for _, n in track) == sorted(along.count(label) for label in set(along) - {0})
    assert ran.drawn() == 3
