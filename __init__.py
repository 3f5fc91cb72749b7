"""brainlake: SQL over a local lakehouse of Allen Institute brain data."""

from __future__ import annotations

__version__ = "0.1.0"
