"""Volumes that leave the lake, as SimpleITK reads them, which the Allen SDK reads and writes images with.

Runs where $BRAINLAKE_PEER_PYTHON names a Python that has the SDK (2.16.2).
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import brainlake
import numpy as np
import pytest
from brainlake.lake.output import write_answer
from brainlake.tests.fixtures import ccf

PYTHON = os.environ.get("BRAINLAKE_PEER_PYTHON")
pytestmark = pytest.mark.skipif(not PYTHON, reason="BRAINLAKE_PEER_PYTHON names no Python with the Allen SDK")

SUFFIXES = ("nrrd", "mha", "nii")
FIELD = np.random.default_rng(2).normal(size=(20, 4, 3, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    folder = tmp_path_factory.mktemp("itk")
    experiment = folder / "experiment_100501"
    experiment.mkdir()
    ccf.write_nrrd(folder / "annotation_25.nrrd", ccf.annotation())
    header = ccf.metaimage_header(FIELD[..., 0], 25, "dfmfld.raw").decode()
    (experiment / "dfmfld.mhd").write_text(header.replace("ElementType", "ElementNumberOfChannels = 3\nElementType"))
    (experiment / "dfmfld.raw").write_bytes(np.ascontiguousarray(FIELD.transpose(2, 1, 0, 3)).tobytes())
    queries = {"labels": "from ccf.annotation_volume()", "field": "from connectivity.deformation_volume(100501)"}
    paths = [folder / f"{name}.{suffix}" for name in queries for suffix in SUFFIXES]
    with brainlake.create(folder / "lake") as lake:
        lake.ingest(folder / "annotation_25.nrrd", settings={"version": "ccf_2017"}, jobs=1).raise_failed()
        lake.ingest(experiment / "dfmfld.mhd", jobs=1).raise_failed()
        for path in paths:
            write_answer(lake.sql(queries[path.stem]).reader(), None, path)
    script = Path(__file__).with_name("ask_simpleitk_volumes.py")
    subprocess.run([PYTHON, script, folder / "told.npz", *paths], check=True)
    return dict(np.load(folder / "told.npz"))


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_simpleitk_reads_labels_as_they_were(told, suffix):
    assert np.array_equal(told[f"labels.{suffix}"].transpose(2, 1, 0), ccf.annotation())
    unit = 1000 if suffix == "nii" else 1  # NIfTI has millimetres
    assert told[f"labels.{suffix}_spacing"] * unit == pytest.approx([25, 25, 25])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_simpleitk_reads_a_field_of_displacements_as_it_was(told, suffix):
    assert np.array_equal(told[f"field.{suffix}"].transpose(2, 1, 0, 3), FIELD)
