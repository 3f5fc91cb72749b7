"""Run by a Python that has SimpleITK: what it reads in files. Arguments: told.npz file..."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import SimpleITK as sitk


def main(told, *paths):
    arrays = {}
    for path in paths:
        image = sitk.ReadImage(path)
        arrays[Path(path).name] = sitk.GetArrayFromImage(image)  # [ml, dv, ap] or [ml, dv, ap, component]
        arrays[Path(path).name + "_spacing"] = np.array(image.GetSpacing())
    np.savez(told, **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
