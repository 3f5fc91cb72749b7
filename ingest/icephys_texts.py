"""What patch-clamp files write as text and people ask for as numbers: resistances, filters, codes of stimuli."""

from __future__ import annotations

import math
import re
import unicodedata

_NUMBER = r"[-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?"
_OHM = r"(?:ohms?|Ω|ω)"
_RESISTANCE = re.compile(rf"\s*({_NUMBER})\s*(k|m|g|kilo|mega|giga)?\s*({_OHM})?\s*", re.IGNORECASE)
_FREQUENCY = re.compile(rf"({_NUMBER})\s*(k?)hz", re.IGNORECASE)
_PREFIXES = {"k": 1e3, "m": 1e6, "g": 1e9}  # nobody measures a seal in milliohms
_REPEAT = re.compile(r"(.*)\[(\d{1,9})\]")
_CHANNEL = re.compile(r"_DA_\d+$")


def resistance(text: str | None, bare: float) -> float | None:
    """Ohms of ``12.5 MOhm``, ``1.7 GΩ``; a bare number is times ``bare``. None where the text is not one resistance."""
    match = _RESISTANCE.fullmatch(unicodedata.normalize("NFKC", text or ""))
    if not match:
        return None
    value, prefix, ohm = float(match[1]), (match[2] or "")[:1].lower(), match[3]
    value *= _PREFIXES[prefix] if prefix else 1.0 if ohm else bare
    return value if math.isfinite(value) else None


def filter_khz(text: str | None) -> float | None:
    """The corner of ``Bessel filter at 10KHz``; None where the text names none, or several."""
    found = {float(value) * (1.0 if kilo else 1e-3) for value, kilo in _FREQUENCY.findall(text or "")}
    return found.pop() if len(found) == 1 else None


def stimulus_code(description: str | None) -> tuple[str | None, int | None]:
    """Code and repeat of an acquisition's description: ``C1LSFINEST150112[3]``, ``C1RP25PR1S141203_DA_0``."""
    if not description:
        return None, None
    match = _REPEAT.fullmatch(description)
    code, repeat = (match[1], int(match[2])) if match else (description, None)
    return _CHANNEL.sub("", code) or None, repeat
