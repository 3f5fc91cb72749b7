"""Which series make a sweep, by which number, in which unit; and what is said where a file does not tell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
import pytest
from brainlake.ingest.contract import Report, Source, made_id
from brainlake.ingest.notes import Notes
from brainlake.ingest.nwb_file import NwbFile
from brainlake.ingest.nwb_icephys_recordings import recording_rows
from brainlake.ingest.nwb_icephys_series import PatchSeries, number_in_name, parse_unit
from brainlake.ingest.nwb_icephys_sweeps import Sweep, find_sweeps, is_patch_clamp, natural
from brainlake.lake.errors import SourceError
from brainlake.tests.fixtures.icephys_labs import (
    ELECTRODES,
    ODD_RATE,
    SPIKY,
    IcephysWriter,
    LabSweep,
    make_recordings_lab,
    make_sweep_table_lab,
)

PULSE = np.array([0.0, 1.0, 0.0], np.float32)


@contextmanager
def opened(path: Path) -> Iterator[NwbFile]:
    with NwbFile.open(Source(path, path.name)) as nwb:
        yield nwb


def told(path: Path) -> tuple[dict[int, tuple[str, str | None]], list[str]]:
    """Sweep number -> names of the response and the stimulus; warnings."""
    report = Report()
    with opened(path) as nwb:
        sweeps = find_sweeps(nwb, report).sweeps
        names = {
            s.sweep_number: (s.response.series.name, s.stimulus.series.name if s.stimulus else None) for s in sweeps
        }
    assert len(names) == len(sweeps)
    return names, report.warnings


def assert_is(sweep: Sweep, expected: LabSweep) -> None:
    series = sweep.response.series
    assert (sweep.sweep_number, series.clamp_mode) == (expected.sweep_number, expected.clamp_mode)
    assert series.sampling_rate == expected.sampling_rate
    got = series.samples(sweep.response.start, sweep.response.stop)
    np.testing.assert_allclose(got, expected.response, rtol=2e-7, atol=0)
    assert (sweep.stimulus is None) == (expected.stimulus is None)
    if sweep.stimulus is not None and expected.stimulus is not None:
        got = sweep.stimulus.series.samples(sweep.stimulus.start, sweep.stimulus.stop)
        np.testing.assert_allclose(got, expected.stimulus, rtol=2e-7, atol=0)


# --- units ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spelled", "expected"),
    [
        ("volts", ("V", 1.0)), ("V", ("V", 1.0)), ("volt", ("V", 1.0)), ("Volts", ("V", 1.0)), ("mV", ("V", 1e-3)),
        ("millivolts", ("V", 1e-3)), ("uV", ("V", 1e-6)), ("\u00b5V", ("V", 1e-6)), ("\u03bcV", ("V", 1e-6)),
        ("MV", ("V", 1e6)), ("amperes", ("A", 1.0)), ("A", ("A", 1.0)), ("Amps", ("A", 1.0)), ("amp", ("A", 1.0)),
        ("pA", ("A", 1e-12)), ("picoamperes", ("A", 1e-12)), ("nA", ("A", 1e-9)), (" PA ", ("A", 1e-12)),
        ("unknown", None), ("", None), (None, None), ("a.u.", None), ("pF", None), ("Vm", None), ("m", None),
    ],
)  # fmt: skip
def test_units_are_read_however_they_are_spelled(spelled: str | None, expected: tuple[str, float] | None) -> None:
    assert parse_unit(spelled) == expected


@pytest.mark.parametrize(
    ("unit", "conversion", "volts", "warned"),
    [
        ("volts", 1e-3, 0.002, None),  # as NWB means it: stored millivolts, volts after the conversion
        ("mV", 1.0, 0.002, None),
        ("mV", None, 0.002, None),
        ("mV", 1e-3, 0.002, "taken as leading to it without its prefix"),  # else microvolts of a cell
        ("mV", np.float32(1e-3), 0.002, "taken as leading to it without its prefix"),
        ("mV", 0.5, 0.001, "both were applied"),
        ("somewhat", 1e-3, 0.002, "taken as V, what a CurrentClampSeries measures"),
        (None, 1e-3, 0.002, "has no unit: taken as V"),
    ],
)
def test_a_prefix_of_the_unit_is_applied_once(
    tmp_path: Path, unit: str | None, conversion: float | None, volts: float, warned: str | None
) -> None:
    with IcephysWriter(tmp_path / "a.nwb") as nwb:
        nwb.patch_series("sweep 1", np.array([2.0]), unit=unit, conversion=conversion)
    report = Report()
    with opened(tmp_path / "a.nwb") as nwb:
        series = PatchSeries(nwb, "/acquisition/sweep 1")
        assert series.samples()[0] == pytest.approx(volts, rel=1e-7)
        notes = Notes()
        series.note_units(notes)
        notes.tell(report)
    assert [warned in said for said in report.warnings] == ([True] if warned else [])  # type: ignore[operator]


def test_the_offset_is_added_behind_the_conversion_and_in_its_unit(tmp_path: Path) -> None:
    with IcephysWriter(tmp_path / "a.nwb") as nwb:
        nwb.patch_series("sweep 1", np.array([-100, 0, 100], np.int16), unit="mV", conversion=0.5, offset=-70.0)
    with opened(tmp_path / "a.nwb") as nwb:
        # 0.5 mV a count around -70 mV: -120, -70, -20 mV
        np.testing.assert_allclose(
            PatchSeries(nwb, "/acquisition/sweep 1").samples(), [-0.12, -0.07, -0.02], rtol=1e-12
        )


def test_single_precision_is_converted_in_single_precision(tmp_path: Path) -> None:
    """NW-8: features depend on it; of whole numbers and doubles the product is taken in double."""
    values = np.linspace(-90, 60, 1_000).astype(np.float32)
    with IcephysWriter(tmp_path / "a.nwb") as nwb:
        nwb.patch_series("sweep 1", values, unit="V", conversion=1e-3)
        nwb.patch_series("sweep 2", values.astype(np.float64), unit="V", conversion=1e-3)
    with opened(tmp_path / "a.nwb") as nwb:
        single = PatchSeries(nwb, "/acquisition/sweep 1").samples()
        double = PatchSeries(nwb, "/acquisition/sweep 2").samples()
    assert (single.dtype, double.dtype) == (np.float32, np.float64)
    np.testing.assert_array_equal(single, values * np.float32(1e-3))
    np.testing.assert_array_equal(double, values.astype(np.float64) * 1e-3)


# --- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("data_00007_AD0", 7), ("data_00007_DA12", 7), ("Sweep_12", 12), ("CurrentClampSeries_03", 3), ("index_0", 0),
        ("2018_03_20_0005", 5), ("sweep 2 response", 2), ("response", None), ("x" + "9" * 30, None),
    ],
)  # fmt: skip
def test_the_last_number_of_a_name_is_the_sweeps(name: str, number: int | None) -> None:
    assert number_in_name(name) == number


def test_names_are_in_the_order_of_their_numbers() -> None:
    in_order = ["1", "a", "s", "s" + "9" * 5_000, "s 2", "s 10", "s 10 a", "s 010 b", "s²"]
    assert sorted(reversed(in_order), key=natural) == in_order  # noqa: C414 - sorted keeps the order of equals


def test_numbers_of_the_sweep_table_and_sweeps_in_their_order(tmp_path: Path) -> None:
    expected = make_sweep_table_lab(tmp_path / "lab.nwb")
    report = Report()
    with opened(tmp_path / "lab.nwb") as nwb:
        sweeps = find_sweeps(nwb, report).sweeps
        for sweep, lab in zip(sweeps, expected, strict=True):
            assert_is(sweep, lab)
        assert {sweep.specimen_id for sweep in sweeps} == {made_id("sweep-table-lab")}
    assert [sweep.sweep_number for sweep in sweeps] == [1, 2, 10]
    assert report.warnings == []


def test_attributes_win_over_the_sweep_table_and_the_table_over_names(tmp_path: Path) -> None:
    with IcephysWriter(tmp_path / "a.nwb") as nwb:
        by_attribute = nwb.patch_series("trace 1", PULSE, unit="V", sweep_number=31)
        by_table = nwb.patch_series("trace 2", PULSE, unit="V")
        nwb.patch_series("trace 3", PULSE, unit="V")
        nwb.sweep_table([(77, [by_attribute]), (42, [by_table])])
    names, warnings = told(tmp_path / "a.nwb")
    assert names == {31: ("trace 1", None), 42: ("trace 2", None), 3: ("trace 3", None)}
    assert warnings == []


def test_numbers_that_two_devices_give_twice_yield_to_those_in_names(tmp_path: Path) -> None:
    with IcephysWriter(tmp_path / "a.nwb", listed=True) as nwb:
        nwb.electrode("electrode_0")
        for i, number in enumerate((0, 1, 0, 1)):
            about = {"sweep_number": number, "electrode": "electrode_0"}
            nwb.patch_series(f"data_{i:05d}_AD0", PULSE, kind="VoltageClampSeries", unit="A", **about)
            nwb.patch_series(f"data_{i:05d}_DA0", PULSE, kind="VoltageClampStimulusSeries", unit="V", **about)
    names, warnings = told(tmp_path / "a.nwb")
    assert names == {i: (f"data_0000{i}_AD0", f"data_0000{i}_DA0") for i in range(4)}
    assert warnings == [
        "the sweep numbers 0, 1 do not tell sweeps of an electrode apart: sweeps are numbered by the numbers in their "
        "names"
    ]


def test_series_without_any_number_are_numbered_in_their_order(tmp_path: Path) -> None:
    with IcephysWriter(tmp_path / "a.nwb") as nwb:
        for name in ("after", "before", "during"):
            nwb.patch_series(name, PULSE, unit="V")
    assert told(tmp_path / "a.nwb")[0] == {0: ("after", None), 1: ("before", None), 2: ("during", None)}


# --- what belongs together --------------------------------------------------------------------------------------------


def test_two_electrodes_of_one_sweep_are_two_cells_each_with_its_stimulus(tmp_path: Path) -> None:
    with IcephysWriter(tmp_path / "a.nwb", identifier="pair") as nwb:
        for electrode in ("left pipette", "right pipette"):
            nwb.electrode(electrode)
            nwb.patch_series(f"sweep 4 {electrode}", PULSE, unit="V", electrode=electrode, sweep_number=4)
            nwb.patch_series(
                f"sweep 4 {electrode}", PULSE, kind="CurrentClampStimulusSeries", unit="A", electrode=electrode,
                sweep_number=4,
            )  # fmt: skip
    with opened(tmp_path / "a.nwb") as nwb:
        sweeps = find_sweeps(nwb, Report()).sweeps
    cells = {s.electrode: s for s in sweeps}
    assert len(cells) == 2
    for path, sweep in cells.items():
        assert (sweep.sweep_number, sweep.specimen_id) == (4, made_id("pair", path or ""))
        assert sweep.stimulus is not None
        assert sweep.stimulus.series.electrode == path


def test_the_table_of_recordings_tells_spans_of_one_long_series_apart(tmp_path: Path) -> None:
    lab = make_recordings_lab(tmp_path / "lab.nwb")
    report = Report()
    with opened(tmp_path / "lab.nwb") as nwb:
        sweeps = find_sweeps(nwb, report).sweeps
        for electrode, expected in lab.sweeps.items():
            path = f"/{ELECTRODES}/{electrode}"
            of_cell = [s for s in sweeps if s.electrode == path]
            assert {s.specimen_id for s in of_cell} == {made_id(lab.identifier, path)}
            for sweep, one in zip(of_cell, expected, strict=True):
                assert_is(sweep, one)
        groups = [
            (s.row.recording_id, *s.row.ids.values(), s.row.stimulus_type)
            for s in sorted(sweeps, key=lambda s: s.row.position if s.row else -1)
            if s.row
        ]
    # recordings 10, 20 are simultaneous 100, and so on; sequences 0 and 1 in repetitions 7 and 8 of condition 40
    assert groups == [
        (10, 100, 0, 7, 40, "square"), (20, 100, 0, 7, 40, "square"), (11, 101, 0, 7, 40, "square"),
        (21, 101, 0, 7, 40, "square"), (12, 102, 1, 8, 40, "square again"), (22, 102, 1, 8, 40, "square again"),
    ]  # fmt: skip
    assert report.warnings == []


def test_of_several_stimuli_none_is_taken_and_all_are_named(tmp_path: Path) -> None:
    with IcephysWriter(tmp_path / "a.nwb") as nwb:
        nwb.patch_series("sweep 1", PULSE, unit="V", sweep_number=1)
        for name in ("a", "b"):
            nwb.patch_series(name, PULSE, kind="CurrentClampStimulusSeries", unit="A", sweep_number=1)
    names, warnings = told(tmp_path / "a.nwb")
    assert names == {1: ("sweep 1", None)}
    assert warnings == ["sweep 1 has 2 stimuli (/stimulus/presentation/a, /stimulus/presentation/b): none was taken"]


def test_the_only_stimulus_of_a_number_is_joined_across_electrodes_and_said(tmp_path: Path) -> None:
    with IcephysWriter(tmp_path / "a.nwb") as nwb:
        nwb.electrode("E0"), nwb.electrode("E1")
        nwb.patch_series("index_0", PULSE, unit="V", sweep_number=0, electrode="E0")
        nwb.patch_series("index_0", PULSE, kind="CurrentClampStimulusSeries", unit="A", sweep_number=0, electrode="E1")
    names, warnings = told(tmp_path / "a.nwb")
    assert names == {0: ("index_0", "index_0")}
    assert len(warnings) == 1
    assert "of another electrode" in warnings[0]


def test_a_stimulus_of_the_other_clamp_mode_or_another_rate_is_not_taken(tmp_path: Path) -> None:
    with IcephysWriter(tmp_path / "a.nwb") as nwb:
        nwb.patch_series("sweep 1", PULSE, unit="V", sweep_number=1)
        nwb.patch_series("command 1", PULSE, kind="VoltageClampStimulusSeries", unit="V", sweep_number=1)
        nwb.patch_series("sweep 2", PULSE, unit="V", sweep_number=2)
        nwb.patch_series("pulse 2", PULSE, kind="CurrentClampStimulusSeries", unit="A", sweep_number=2, rate=10_000.0)
    names, warnings = told(tmp_path / "a.nwb")
    assert names == {1: ("sweep 1", None), 2: ("sweep 2", None)}
    assert ["is sampled at 10000 Hz, and its response at 20000 Hz" in said for said in warnings] == [True]


def test_a_series_of_the_wrong_unit_is_no_sweep_and_said(tmp_path: Path) -> None:
    with IcephysWriter(tmp_path / "a.nwb") as nwb:
        nwb.patch_series("IN 1", PULSE, unit="V", sweep_number=0)
        nwb.patch_series("IN 5", PULSE, unit="A", sweep_number=0)
    names, warnings = told(tmp_path / "a.nwb")
    assert names == {0: ("IN 1", None)}
    assert warnings == [
        "/acquisition/IN 5 is called a CurrentClampSeries, which measures volts, and has the unit A: it is kept in "
        "nwb.series, and no sweep is made of it"
    ]


# --- times ------------------------------------------------------------------------------------------------------------


def test_time_stamps_on_a_regular_clock_give_the_rate(tmp_path: Path) -> None:
    with IcephysWriter(tmp_path / "a.nwb") as nwb:
        stamps = 5.0 + np.arange(500) / ODD_RATE
        nwb.patch_series("sweep 1", SPIKY, unit="V", timestamps=stamps)
        nwb.patch_series("sweep 2", SPIKY, unit="V", timestamps=np.cumsum(1.0 + np.arange(500) % 2))
        nwb.patch_series("sweep 3", SPIKY, unit="V", rate=None)
        nwb.patch_series("sweep 4", SPIKY, unit="V", timestamps=np.full(500, np.nan))
        nwb.patch_series("sweep 5", SPIKY, unit="V", rate=None)
    report = Report()
    with opened(tmp_path / "a.nwb") as nwb:
        (sweep,) = find_sweeps(nwb, report).sweeps
        assert sweep.response.series.sampling_rate == pytest.approx(ODD_RATE, rel=1e-9)
        assert sweep.response.start_time == 5.0
    reason = "has neither a sampling rate nor time stamps at regular intervals"
    assert report.warnings == [
        f"/acquisition/sweep 2 {reason}: it is kept in nwb.series, and no sweep is made of it (as well as "
        "/acquisition/sweep 3, /acquisition/sweep 4 and 1 more)"
    ]


def test_several_values_at_a_time_are_no_sweep(tmp_path: Path) -> None:
    with IcephysWriter(tmp_path / "a.nwb") as nwb:
        nwb.patch_series("sweep 1", SPIKY.reshape(-1, 2), unit="V")
        nwb.patch_series("sweep 2", SPIKY.reshape(-1, 1), unit="V")
    names, warnings = told(tmp_path / "a.nwb")
    assert names == {2: ("sweep 2", None)}
    assert [said.split(": ")[0] for said in warnings] == ["/acquisition/sweep 1 has 2 values at a time"]


# --- damaged ----------------------------------------------------------------------------------------------------------


def test_a_recording_that_ends_behind_its_series_is_refused_by_name(tmp_path: Path) -> None:
    make_recordings_lab(tmp_path / "lab.nwb")
    with h5py.File(tmp_path / "lab.nwb", "r+") as file:
        responses = file[f"{ELECTRODES}/intracellular_recordings/responses/response"]
        row = responses[5]
        row["count"] = 201
        responses[5] = row
    with opened(tmp_path / "lab.nwb") as nwb:
        with pytest.raises(SourceError, match=r"/acquisition/held/data: is recorded to end at sample 601, and has 600"):
            find_sweeps(nwb, Report()).sweeps
        report = Report(salvage=True)
        assert len(find_sweeps(nwb, report).sweeps) == 4  # the series whole, and the three of the other electrode
        assert len(report.skipped) == 1


def test_a_level_that_names_a_row_that_is_not_there_is_refused(tmp_path: Path) -> None:
    make_recordings_lab(tmp_path / "lab.nwb")
    with h5py.File(tmp_path / "lab.nwb", "r+") as file:
        file[f"{ELECTRODES}/simultaneous_recordings/recordings"][5] = 6
    with (
        opened(tmp_path / "lab.nwb") as nwb,
        pytest.raises(SourceError, match=r"simultaneous_recordings/recordings: names row 6 of 6 in row 2"),
    ):
        recording_rows(nwb, Report())


def test_a_file_without_responses_is_none_of_patch_clamp(tmp_path: Path) -> None:
    with IcephysWriter(tmp_path / "a.nwb") as nwb:
        nwb.electrode("E0")
        nwb.patch_series("stimulus", PULSE, kind="CurrentClampStimulusSeries", unit="A")
        nwb.patch_series("pressure", PULSE, kind="TimeSeries", folder="acquisition")
    with opened(tmp_path / "a.nwb") as nwb:
        assert not is_patch_clamp(nwb)
