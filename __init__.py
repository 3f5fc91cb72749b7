"""brainlake: SQL over a local lakehouse of Allen Institute brain data.

>>> import brainlake
>>> lake = brainlake.open()                                        # doctest: +SKIP
>>> lake.sql("select count(*) from ecephys.good_units").show()     # doctest: +SKIP
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .lake import errors
from .lake.errors import BrainlakeError
from .version import __version__

if TYPE_CHECKING:
    from .lake.facade import Lake
    from .lake.open_or_demo import open_or_demo
    from .lake.opening import create, open

__all__ = ["BrainlakeError", "Lake", "__version__", "create", "errors", "open", "open_or_demo"]


def __getattr__(name: str) -> Any:
    # Loaded when first used: a process that only reads a file, or prints --help, should not wait for DuckDB.
    if name in ("Lake", "create", "open"):
        from .lake import opening

        return getattr(opening, name)
    if name == "open_or_demo":
        from .lake.open_or_demo import open_or_demo

        return open_or_demo
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
