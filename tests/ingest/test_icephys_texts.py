"""Numbers in the texts of patch-clamp files."""

from __future__ import annotations

import pytest
from brainlake.ingest.icephys_texts import filter_khz, resistance, stimulus_code


@pytest.mark.parametrize(
    ("text", "ohms"),
    [
        ("12.5 MOhm", 12.5e6), ("1.7 GOhm", 1.7e9), ("1.7 GΩ", 1.7e9), ("1.7 G\u2126", 1.7e9), ("5 mohm", 5e6),
        ("3000000 ohm", 3e6), ("12.5", 12.5e6), ("2e1", 20e6), ("4-6 MOhm", None), ("high", None), ("", None),
        (None, None),
    ],
)  # fmt: skip
def test_resistances(text: str | None, ohms: float | None) -> None:
    assert resistance(text, bare=1e6) == ohms


@pytest.mark.parametrize(
    ("text", "khz"),
    [
        ("Bessel filter at 10KHz", 10.0), ("10 kHz low-pass", 10.0), ("5000 Hz", 5.0), ("2 kHz and 10 kHz", None),
        ("PLACEHOLDER", None), (None, None),
    ],
)  # fmt: skip
def test_filters(text: str | None, khz: float | None) -> None:
    assert filter_khz(text) == khz


@pytest.mark.parametrize(
    ("description", "code"),
    [
        ("C1LSFINEST150112[3]", ("C1LSFINEST150112", 3)), ("C1RP25PR1S141203_DA_0", ("C1RP25PR1S141203", None)),
        ("X_DA_0[2]", ("X", 2)), ("ramp", ("ramp", None)), ("", (None, None)), (None, (None, None)),
    ],
)  # fmt: skip
def test_codes(description: str | None, code: tuple[str | None, int | None]) -> None:
    assert stimulus_code(description) == code
