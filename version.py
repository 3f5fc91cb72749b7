"""The version, said once: packaging, ``brainlake --version`` and provenance read it here."""

from __future__ import annotations

__version__ = "0.1.0"
