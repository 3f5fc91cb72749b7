"""Pipelines from document to document, on small files; what they make of them is worked by hand."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from brainlake.ingest import registry
from brainlake.lake.cli import run
from brainlake.lake.errors import SourceError
from brainlake.lake.pipelines import PIPELINES, gridder
from brainlake.lake.pipelines.documents import run_documents
from brainlake.lake.pipelines.images import MAX_PIXELS, read_image, write_image
from brainlake.lake.pipelines.stack import MARGIN, SectionStack
from brainlake.lake.pipelines.volumes import volume_at, whole
from brainlake.tests.fixtures import ccf
from brainlake.tests.fixtures.ingesting import source_of, tables_of
from brainlake.udfs import gridding
from brainlake.udfs.resampling import Placed
from PIL import Image

N_SECTIONS, ROWS, COLUMNS = 5, 10, 15  # ap, dv, ml of the small reference space


class Series:
    """Sections whose pixels are the voxels of the reference space, 10 um each: nothing is interpolated."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        rng = np.random.default_rng(1)
        shape = (N_SECTIONS, ROWS, COLUMNS)
        self.codes = rng.choice([0, 1, 128, 129], shape).astype(np.uint8)
        self.green = rng.integers(0, 4000, shape).astype(np.uint16)
        self.document = {
            "case": "classic",
            "sub_images": [self._section(z) for z in range(N_SECTIONS)],
            # (ap, dv, ml) of a voxel -> (column, row, section) of the stack, whose first pixel is centred at 5 um
            "affine_params": [0, 0, 1, 0, 1, 0, 1, 0, 0, 5, 5, 0],
            "image_series_slice_spacing": 10.0,
            "target_spacings": [10, 50],
            "reference_spacing": {"row": 10, "column": 10, "slice": 10},
            "reference_dimensions": {"row": ROWS, "column": COLUMNS, "slice": N_SECTIONS},
            "sub_image_count": N_SECTIONS,
            "grid_prefix": "grids",
            "accumulator_prefix": "accumulators",
        }

    def _section(self, z: int) -> dict:
        codes, green = self.folder / f"codes{z}.png", self.folder / f"green{z}.tif"
        Image.fromarray(self.codes[z]).save(codes)
        Image.fromarray(self.green[z]).save(green)
        # a missing tile of columns 0-2 and rows 0-3
        return {
            "specimen_tissue_index": z,
            "dimensions": {"row": ROWS, "column": COLUMNS},
            "spacing": {"row": 10.0, "column": 10.0},
            "segmentation_paths": {"segmentation": str(codes)},
            "intensity_paths": {"green": {"path": str(green), "channel": 0}},
            "polygons": {"missing_tile": [[[0, 0], [3, 0], [3, 4], [0, 4]]]},
        }

    def run(self, **changes: object) -> dict:
        return run_document("grid", self.folder, {**self.document, **changes})


def run_document(name: str, folder: Path, document: dict) -> dict:
    (folder / "in.json").write_text(json.dumps(document))
    return run_documents(name, folder / "in.json", folder / "out.json")


def array(path: Path) -> np.ndarray:
    return whole(volume_at(path))


@pytest.fixture
def series(tmp_path):
    return Series(tmp_path)


class TestGrid:
    def test_densities_are_those_of_the_pixels(self, series):
        series.run()
        present = np.ones(series.codes.shape)
        present[:, :4, :3] = 0
        projecting, injected = (series.codes >> 7) * present, (series.codes & 1) * present
        grids = {name: array(series.folder / f"grids/{name}_10.nrrd") for name in (
            "projection_density", "injection_density", "injection_fraction", "projection_energy", "injection_energy",
            "data_mask")}  # fmt: skip
        expected = {
            "projection_density": projecting,
            "injection_density": projecting * injected,
            "injection_fraction": injected,
            "projection_energy": projecting * series.green,
            "injection_energy": projecting * injected * series.green,
            "data_mask": present,
        }
        for name, values in expected.items():
            np.testing.assert_allclose(grids[name], values, rtol=1e-6, err_msg=name)

    def test_accumulators_are_sums_of_pixels(self, series):
        """GRD-04: 2 a pixel at level 0; intensities are not masked by missing tiles."""
        series.run()
        accumulators = series.folder / "accumulators"
        np.testing.assert_allclose(array(accumulators / "sum_pixel_intensities.nrrd"), 2.0 * series.green, rtol=1e-6)
        pixels = array(accumulators / "sum_pixels.nrrd")
        assert set(np.unique(pixels)) == {0.0, 2.0}
        assert (pixels == 0).sum() == N_SECTIONS * 4 * 3

    def test_coarse_grids_are_means_of_blocks(self, series):
        series.run()
        fine, coarse = (array(series.folder / f"grids/projection_density_{um}.nrrd") for um in (10, 50))
        assert coarse.shape == (1, 2, 3)
        np.testing.assert_allclose(coarse[0, 1, 2], fine[:, 5:, 10:].mean(), rtol=1e-6)

    def test_where_there_is_no_section_there_is_nothing(self, series):
        """GRD-10; the data mask says so."""
        del series.document["sub_images"][2]
        series.run(target_spacings=[10])
        mask = array(series.folder / "grids/data_mask_10.nrrd")
        assert mask.any(axis=(1, 2)).tolist() == [True, True, False, True, True]
        assert not array(series.folder / "grids/projection_density_10.nrrd")[2].any()

    def test_files_are_told_and_named_for_their_resolution(self, series):
        told = series.run(target_spacings=[25])
        names = [Path(path).relative_to(series.folder).as_posix() for path in told["output_file_paths"]]
        assert names.count("grids/data_mask_25.nrrd") == 1
        assert "accumulators/injectionsum_projecting_pixel_intensities.nrrd" in names
        assert len(names) == 8 + 6  # no section has an aav_exclusion
        assert all((series.folder / name).is_file() for name in names)
        assert told["input_parameters"]["reduce_level"] == 0  # defaults are told
        assert told["infinite_voxels"]["projection_density"] == 0

    def test_counts_need_no_intensities(self, series):
        for section in series.document["sub_images"]:
            del section["intensity_paths"]
        told = series.run(case="count", target_spacings=[10])
        assert not any(
            "energy" in Path(path).name or "intensit" in Path(path).name for path in told["output_file_paths"]
        )
        assert (series.folder / "grids/projection_density_10.nrrd").is_file()
        with pytest.raises(SourceError, match=r"sub_images\[0\]: case classic needs"):
            series.run()

    def test_a_retrograde_tracer_is_drawn(self, series):
        for section in series.document["sub_images"]:
            section["polygons"]["cav_tracer"] = [[[0, 0], [5, 0], [5, 5], [0, 5]]]
        told = series.run(case="cav", target_spacings=[10])
        density = array(series.folder / "grids/cav_density_10.nrrd")
        expected = np.zeros(density.shape)
        expected[:, :5, :5] = 1
        expected[:, :4, :3] = 0  # no tile
        np.testing.assert_array_equal(density, expected)
        names = {Path(path).name for path in told["output_file_paths"] if "accumulators" in path}
        assert names == {"cav_tracer_10.nrrd", "sum_pixels_10.nrrd", "data_mask_10.nrrd"}  # GRD-15

    def test_a_section_is_summed_band_by_band(self, series, monkeypatch):
        """At a pyramid level, with polygons: as in one piece, for bands of a cell of rows, and of less than a row."""
        for one in series.document["sub_images"]:
            one["polygons"]["no_signal"] = [[[4, 3], [12, 3], [8, 9]]]
        columns, rows = (gridding.coarse_axis(n, 10.0, 40.0, 1) for n in (COLUMNS, ROWS))
        parameters = {**series.document, "reduce_level": 1, "filter_bit": None}
        _, whole = gridder.section(parameters, 1, columns, rows)
        assert whole["sum_pixel_intensities"].shape == (3, 2)
        for pixels in (1, 40):
            monkeypatch.setattr(gridder, "BAND_PIXELS", pixels)
            for name, sums in gridder.section(parameters, 1, columns, rows)[1].items():
                np.testing.assert_array_equal(sums, whole[name], err_msg=name)

    def test_a_deformation_moves_the_pixels(self, series):
        """10 um to posterior everywhere: a voxel sees the next section, the last nothing."""
        field = np.zeros((N_SECTIONS, ROWS, COLUMNS, 3), np.float32)
        field[..., 0] = 10
        header = ccf.metaimage_header(field[..., 0], 25, "dfmfld.raw").decode()
        header = header.replace("ElementType", "ElementNumberOfChannels = 3\nElementType")
        (series.folder / "dfmfld.mhd").write_text(header)
        (series.folder / "dfmfld.raw").write_bytes(np.ascontiguousarray(field.transpose(2, 1, 0, 3)).tobytes())
        series.run(deformation_field_path=str(series.folder / "dfmfld.mhd"), target_spacings=[10])
        green = array(series.folder / "accumulators/sum_pixel_intensities.nrrd")
        np.testing.assert_allclose(green[:-1], 2.0 * series.green[1:], rtol=1e-6)
        assert not green[-1].any()

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"case": "clasic"}, "case: 'clasic' is not one of"),
            ({"grid_prefx": "x"}, "grid_prefx"),
            ({"affine_params": [1, 2]}, "affine_params"),
            ({"target_spacings": [12]}, "12 um: a voxel 1.2 times as large"),
            ({"sub_image_count": 3}, "3 is not below sub_image_count"),
        ],
    )
    def test_documents_that_are_wrong_are_told_so(self, series, changes, why):
        with pytest.raises(SourceError, match=why):
            series.run(**changes)

    def test_a_missing_member_is_named(self, series):
        del series.document["affine_params"]  # has a default
        del series.document["grid_prefix"]
        with pytest.raises(SourceError, match="'grid_prefix' is a required property"):
            series.run()

    def test_a_section_of_another_size_or_cut_short_is_named(self, series):
        path = Path(series.document["sub_images"][2]["segmentation_paths"]["segmentation"])
        path.write_bytes(path.read_bytes()[:60])
        with pytest.raises(SourceError, match=r"codes2\.png: .*decoded"):
            series.run()
        Image.fromarray(np.zeros((3, 3), np.uint8)).save(path)
        with pytest.raises(SourceError, match=r"codes2\.png: holds \(3, 3\) pixels of mode L"):
            series.run()
        assert not (series.folder / "out.json").exists()


class TestStack:
    shape, spacing = (70, 6, 5, 2), (11.05, 10.5, 100.0)

    @pytest.fixture
    def volume(self):
        values = np.random.default_rng(5).random(self.shape, np.float32)
        values[:, :, 3] = 0  # a section that does not come
        return values

    @pytest.fixture
    def stack(self, volume, tmp_path):
        with contextlib.closing(SectionStack(tmp_path, self.shape, self.spacing)) as stack:
            for section in (4, 0, 2, 1):
                for accumulator in range(2):
                    stack.put(section, accumulator, volume[:, :, section, accumulator])
            yield stack

    def test_points_see_what_they_see_in_an_array(self, stack, volume):
        """Planes of points to and fro along the columns, oblique ones, and points beyond each end."""
        placed = Placed(volume, self.spacing, (self.spacing[0] / 2, self.spacing[1] / 2, 0.0))
        rng = np.random.default_rng(6)
        for centre in (-3, 0, 5, 40, 41, 69, 72, 12, 300):
            points = rng.uniform(-40, 560, (400, 3)) * (0, 0.2, 1) + (centre * 11.05, 0, 0)
            points[:, 0] += rng.uniform(-60, 60, 400)
            np.testing.assert_array_equal(stack.at(points), placed.at(points, np.float32).T)

    def test_memory_holds_some_columns(self, stack):
        stack.at(np.array([[30 * 11.05, 20.0, 100.0]]))
        first, slab = stack._slab
        assert (first, len(slab)) == (29 - MARGIN, 2 + 2 * MARGIN)

    def test_a_disk_without_room_is_one_clear_error(self, tmp_path):
        """A process that may write no file beyond 1 MB stands for it; of 8 MB, nothing is left."""
        program = f"""
import pathlib, resource, signal, numpy as np
from brainlake.lake.errors import BrainlakeError
from brainlake.lake.pipelines.stack import SectionStack
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
stack = SectionStack(pathlib.Path({str(tmp_path)!r}), (1000, 1000, 2, 1), (10.0, 10.0, 100.0))
resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))
try:
    stack.put(1, 0, np.ones((1000, 1000), np.float32))
except BrainlakeError as error:
    print(error)
"""
        told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert told.stdout == f"{tmp_path}: the stack of sections cannot be written: File too large\n"
        assert not list(tmp_path.iterdir())

    def test_its_file_has_no_name(self, stack, tmp_path):
        assert not list(tmp_path.iterdir())


class TestImages:
    @pytest.mark.parametrize("suffix", ["png", "tif", "jp2"])
    def test_every_format_gives_rows_and_columns(self, tmp_path, suffix):
        pixels = np.random.default_rng(0).integers(0, 255, (6, 9)).astype(np.uint8)
        options = {"irreversible": False} if suffix == "jp2" else {}
        Image.fromarray(pixels).save(tmp_path / f"a.{suffix}", **options)
        np.testing.assert_array_equal(read_image(tmp_path / f"a.{suffix}"), pixels)

    def test_levels_halve_the_edges(self, tmp_path):
        pixels = np.kron(np.arange(6).reshape(2, 3), np.ones((4, 4))).astype(np.uint8) * 20
        for suffix in ("png", "jp2"):
            Image.fromarray(pixels).save(tmp_path / f"a.{suffix}")
            assert read_image(tmp_path / f"a.{suffix}", level=1).shape == (4, 6)
        assert read_image(tmp_path / "a.png", level=2).tolist() == [[0, 20, 40], [60, 80, 100]]

    def test_channels_are_chosen_from_0(self, tmp_path):
        colour = np.arange(24).reshape(2, 4, 3).astype(np.uint8)
        Image.fromarray(colour).save(tmp_path / "a.png")
        np.testing.assert_array_equal(read_image(tmp_path / "a.png", channel=1), colour[..., 1])
        for channel in (None, 3):
            with pytest.raises(SourceError, match="none of them"):
                read_image(tmp_path / "a.png", channel=channel)

    def test_a_file_that_declares_too_much_is_refused(self, tmp_path):
        path = tmp_path / "a.png"
        Image.fromarray(np.zeros((2, 2), np.uint8)).save(path)
        data = bytearray(path.read_bytes())
        data[16:24] = (MAX_PIXELS).to_bytes(4, "big") + (9).to_bytes(4, "big")
        path.write_bytes(data)
        with pytest.raises(SourceError, match=r"decoded|too many"):
            read_image(path)

    def test_channels_of_16_bits_are_pages(self, tmp_path):
        pixels = np.random.default_rng(0).integers(0, 65_535, (4, 5, 2)).astype(np.uint16)
        write_image(tmp_path / "a.tif", pixels)
        with Image.open(tmp_path / "a.tif") as image:
            for page in range(2):
                image.seek(page)
                np.testing.assert_array_equal(np.asarray(image), pixels[..., page])


def test_unionizes_of_files_can_be_ingested(tmp_path):
    """Volumes in the layout of the fixtures; the records are those of the warehouse."""
    labels = ccf.annotation()
    labels[labels == 424242] = 0
    grids = {name: np.zeros(ccf.SHAPE, np.float32) for name in ("injection_fraction", "injection_density")}
    grids |= {name: np.ones(ccf.SHAPE, np.float32) for name in ("data_mask", "projection_density")}
    grids["sum_pixels"] = np.full(ccf.SHAPE, 900, np.float32)
    paths = {name: str(ccf.write_nrrd(tmp_path / f"{name}.nrrd", grid, um=10)) for name, grid in grids.items()}
    document = {
        "structures": [{"id": id_, "parent_structure_id": parent, "acronym": acronym} for id_, acronym, _, parent, _ in ccf.TREE],
        "image_resolution": 0.35,
        "reference_spacing": 10,
        "reference_shape": list(ccf.SHAPE),
        "image_series_id": 77,
        "annotation_path": str(ccf.write_nrrd(tmp_path / "annotation.nrrd", labels, um=10)),
        "grid_paths": paths,
    }  # fmt: skip
    rows = run_document("unionize", tmp_path, document)["msg"]
    root = next(row for row in rows if (row["structure_id"], row["hemisphere_id"]) == (997, 3))
    assert root["sum_pixels"] == 900 * (labels != 0).sum()
    assert root["volume"] == pytest.approx(900 * (labels != 0).sum() * 1.225e-9)
    assert root["projection_energy"] is None  # case count: nothing is known of intensities
    assert registry.choose(source_of(tmp_path / "out.json")).name == "connectivity_json"
    with pytest.raises(SourceError, match="structure 8 has voxels and is not listed"):
        run_document("unionize", tmp_path, {**document, "structures": [{"id": 997, "parent_structure_id": None}]})
    with pytest.raises(SourceError, match="reference_shape"):
        run_document("unionize", tmp_path, {**document, "reference_shape": [1, 2, 3]})


class TestThumbnail:
    @pytest.fixture
    def document(self, tmp_path):
        """One bright voxel off the middle; red colours."""
        volume = np.zeros((9, 5, 7), np.float32)  # ap, dv, ml
        volume[6, 1, 5] = 1.0
        (tmp_path / "colours.txt").write_text("0 0 0\n128 0 0\n255 0 0\n")
        return {
            "volume_path": str(ccf.write_nrrd(tmp_path / "density.nrrd", volume, um=100)),
            "colormap_path": str(tmp_path / "colours.txt"),
            "min_threshold": 1e-3,
            "max_threshold": 1.0,
            "rotations": [
                {
                    "window_size": [9, 5, 9],
                    "projection_parameters": {"axis": 2},
                    "rotation_parameters": {"from_axis": 0, "to_axis": 2, "start": 0, "end": 1, "nsteps": 2},
                    "depth_path": "depth.tif",
                    "output_images": [{"path": "strip.png"}],
                }
            ],
        }

    def test_a_strip_shows_the_voxel_from_each_side(self, document, tmp_path):
        told = run_document("thumbnail", tmp_path, document)
        strip, depth = np.asarray(Image.open(tmp_path / "strip.png")), np.asarray(Image.open(tmp_path / "depth.tif"))
        # x runs along ml from the right: 6 - 5 = 1, and with a window of 9 around 7, x = 2; y = 1; z = ap = 6
        # a view is [x, y]; turned by a quarter, x - 4 is z - 4 = 2 or its opposite
        assert strip.shape == (9, 10, 3)
        seen = np.argwhere(strip[..., 0] == 255)
        assert seen[seen[:, 1] < 5].tolist() == [[2, 1]]
        assert seen[seen[:, 1] >= 5].tolist() == [[6, 6]]
        assert depth[2, 1] == 6
        assert [Path(path).name for path in told["output_file_paths"]] == ["depth.tif", "strip.png"]
        assert told["notes"] == []

    def test_a_background_shines_through(self, document, tmp_path):
        Image.fromarray(np.full((9, 10, 3), 51, np.uint8)).save(tmp_path / "behind.png")
        document["rotations"][0]["output_images"][0]["background_path"] = str(tmp_path / "behind.png")
        run_document("thumbnail", tmp_path, document)
        strip = np.asarray(Image.open(tmp_path / "strip.png"))
        assert strip[0, 0].tolist() == [51, 51, 51]
        assert strip[2, 1].tolist() == [255, 0, 0]

    @pytest.mark.parametrize("text", ["", "1 2\n", "a b c\n", "1 2 3 4\n", "1 2 nan\n"])
    def test_a_colormap_that_is_none_is_refused(self, document, tmp_path, text):
        (tmp_path / "colours.txt").write_text(text)
        with pytest.raises(SourceError, match=r"colours\.txt: is no table of colours"):
            run_document("thumbnail", tmp_path, document)

    def test_parities_that_differ_are_noted(self, document, tmp_path):
        document["rotations"][0]["window_size"] = [10, 5, 9]
        assert "half a voxel" in run_document("thumbnail", tmp_path, document)["notes"][0]


def test_tiles_are_stitched_and_missing_ones_outlined(tmp_path):
    """Two tiles of 2 x 4 that overlap in two columns, in channel 2; a third is not there."""
    for name, value in (("a", 100), ("b", 201)):
        Image.fromarray(np.full((4, 2), value, np.uint16)).save(tmp_path / f"{name}.tif")  # stored columns first
    Image.fromarray(np.full((4, 2), 3, np.uint16)).save(tmp_path / "average.tif")

    def tile(index, name, left, top=0):
        bounds = {"row": {"start": top, "end": top + 2}, "column": {"start": left, "end": left + 4}}
        return {"index": index, "path": str(tmp_path / name), "channel": 2, "bounds": bounds,
                "size": {"row": 2, "column": 4}, "margins": {"row": 0, "column": 0}}  # fmt: skip

    document = {
        "image_dimensions": {"row": 4, "column": 6},
        "channels": [1, 2],
        "tiles": [tile(0, "a.tif", 0), tile(1, "b.tif", 2), tile(7, "c.tif", 0, top=2)],
        "average_tile_paths": {"1": "nowhere.tif", "2": str(tmp_path / "average.tif")},
        "spacing": [0.35, 0.35],
        "slice_fname": "section.tif",
    }
    told = run_document("stitch", tmp_path, document)
    assert told["missing_tile_paths"] == {"7": "2,0,4,0,4,4,2,4"}
    with Image.open(tmp_path / "section.tif") as image:
        assert not np.asarray(image).any()  # channel 1
        image.seek(1)
        assert np.asarray(image).tolist() == [[100, 100, 100, 150, 201, 201]] * 2 + [[0] * 6] * 2
    document["tiles"][0]["size"]["column"] = 3
    with pytest.raises(SourceError, match=r"tiles\[0\]: a tile of \(2, 3\) pixels, and a place of \(2, 4\)"):
        run_document("stitch", tmp_path, document)


class TestRegionMetrics:
    @pytest.fixture
    def document(self, tmp_path):
        with h5py.File(tmp_path / "maps.h5", "w") as file:
            file["retinotopy_altitude"] = np.radians([[0.0, 10, 20], [0, 10, 20]])
            file["retinotopy_azimuth"] = np.radians([[0.0, -30, 10], [0, 0, 10]])
        return {
            "processed_h5": str(tmp_path / "maps.h5"), "x": 1, "y": 0, "width": 2, "height": 2,
            "mask": [[True, True], [False, True]], "altitude_scale": 1.0, "azimuth_scale": 1.0,
        }  # fmt: skip

    def test_metrics_are_in_degrees(self, document, tmp_path):
        told = run_document("region-metrics", tmp_path, document)
        assert told["azimuth_min"] == pytest.approx(-30)
        assert told["altitude_range"] == pytest.approx(10)
        assert told["x_centroid"] == pytest.approx(5 / 3)

    def test_a_mask_of_another_size_or_a_file_that_is_none(self, document, tmp_path):
        with pytest.raises(SourceError, match="mask: does not have 3 rows"):
            run_document("region-metrics", tmp_path, {**document, "height": 3})
        (tmp_path / "maps.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 100)
        with pytest.raises(SourceError, match=r"maps\.h5"):
            run_document("region-metrics", tmp_path, document)

    def test_the_command_tells_and_fails_as_others_do(self, document, tmp_path, capsys):
        (tmp_path / "in.json").write_text(json.dumps(document))
        assert run(["pipeline", "region-metrics", str(tmp_path / "in.json"), str(tmp_path / "out.json")]) == 0
        assert json.loads((tmp_path / "out.json").read_text())["altitude_max"] == pytest.approx(20)
        (tmp_path / "in.json").write_text('{"x": ')
        assert run(["pipeline", "region-metrics", str(tmp_path / "in.json"), str(tmp_path / "out.json")]) == 1
        assert run(["pipeline", "nothing", "a", "b"]) == 1
        assert "is no JSON" in capsys.readouterr().err


def test_what_pipelines_write_can_be_ingested(series):
    told = series.run(target_spacings=[10])
    run_ = tables_of(series.folder / "out.json")["connectivity.grid_runs"].to_pylist()[0]
    assert run_["output_paths"] == told["output_file_paths"]
    assert run_["n_sections"] == N_SECTIONS


def test_every_pipeline_checks_what_it_is_given(tmp_path):
    for name in PIPELINES:
        with pytest.raises(SourceError, match="required property"):
            run_document(name, tmp_path, {})
