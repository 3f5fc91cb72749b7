"""Run by the Allen SDK's Python: what its gridder, projector, stitcher and region metrics make of arrays.

Arguments: given.npz told.npz. Volumes are [x, y, z] in given.npz and in told.npz.
"""

from __future__ import annotations

import functools
import sys
import warnings

import numpy as np


def main(given_path, told_path):
    warnings.simplefilter("ignore")
    given = np.load(given_path)
    told = {}
    for part in (gridding, resampling, thumbnails, stitching, regions):
        told.update(part(given))
    np.savez(told_path, **told)


def gridding(given):
    from allensdk.mouse_connectivity.grid.utilities import downsampling_utilities as down
    from allensdk.mouse_connectivity.grid.utilities import image_utilities as images

    told = {}
    for n, (pixels, spacing, wanted, level) in enumerate(given["axes"]):
        dims, um, _ = images.compute_coarse_parameters([pixels], [spacing], [wanted], int(level))
        told[f"axis/{n}"] = np.array([dims[0], um[0]])
    for n, (pixels, spacing, wanted) in enumerate(given["blocks"]):
        blocks, _ = images.grid_image_blocks([int(pixels)], [spacing], [wanted])
        told[f"blocks/{n}"] = np.array([start for start, _ in blocks[0]])
    for factor in (2.0, 2.5, 4.0):
        told[f"reduced/{factor}"] = down.downsample_average(given["volume"], 10.0, 10.0 * factor)
    return told


def resampling(given):
    import SimpleITK as sitk
    from allensdk.mouse_connectivity.grid.utilities import image_utilities as images

    def as_image(array, is_vector=False):
        order = (2, 1, 0, 3) if is_vector else (2, 1, 0)
        return sitk.GetImageFromArray(np.ascontiguousarray(array.transpose(order)), isVector=is_vector)

    stack = as_image(given["stack"].astype(np.float32))
    stack.SetSpacing(given["stack_spacing"].tolist())
    stack.SetOrigin(given["stack_origin"].tolist())
    field = as_image(given["field"], is_vector=True)
    field.SetSpacing([25.0] * 3)
    transform = images.build_composite_transform(field, given["affine"].tolist())
    seen = images.resample_volume(stack, given["shape"].tolist(), [10.0] * 3, transform=transform)
    return {"seen": sitk.GetArrayFromImage(seen).transpose(2, 1, 0)}


def thumbnails(given):
    import SimpleITK as sitk
    from allensdk.internal.mouse_connectivity.projection_thumbnail import visualization_utilities as vis
    from allensdk.internal.mouse_connectivity.projection_thumbnail.generate_projection_strip import run

    told = {}
    volume = sitk.GetImageFromArray(np.ascontiguousarray(given["density"].transpose(2, 1, 0)))
    volume = sitk.Flip(sitk.PermuteAxes(volume, [2, 1, 0]), [True, False, False])
    keep = functools.partial(lambda name, image: told.__setitem__(name, np.array(image)))
    rotation = {
        "window_size": given["window"].tolist(),
        "projection_parameters": {"axis": 2},
        "rotation_parameters": {"from_axis": 0, "to_axis": 2, "start": 0.0, "end": 1.0, "nsteps": 3},
        "write_depth_sheet": functools.partial(keep, "depth"),
        "output_images": [
            {"blur": 0.0, "scale": 1, "background": None, "write": functools.partial(keep, "plain")},
            {"blur": 1.5, "scale": 2, "background": given["background"], "write": functools.partial(keep, "blurred")},
        ],
    }
    colours = vis.convert_discrete_colormap(given["colours"])
    run(volume, 1e-3, 1.0, [rotation], colours)
    told["blended"] = vis.blend(given["images"].copy(), given["weights"].copy())
    return told


def stitching(given):
    from allensdk.internal.mouse_connectivity.tissuecyte_stitching import stitcher

    return {
        f"blend/{n}": stitcher.get_blend(covered.astype(float), covered.shape)
        for n, covered in enumerate(given["covered"])
    }


def regions(given):
    from allensdk.internal.brain_observatory.annotated_region_metrics import get_metrics

    mask = given["mask"]
    metrics = get_metrics(
        given["altitude"], given["azimuth"], x=2, y=3, width=mask.shape[1], height=mask.shape[0], mask=mask.tolist()
    )
    return {f"metric/{name}": np.array(value) for name, value in metrics.items()}


if __name__ == "__main__":
    main(*sys.argv[1:])
