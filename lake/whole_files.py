"""Files that appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from .errors import BrainlakeError


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that appears under its name when it is complete, and not at all otherwise."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with unfinished.open("w+b") as stream:
            yield stream
        unfinished.replace(path)
    except OSError as error:
        raise BrainlakeError(f"{path}: cannot be written: {error.strerror or error}") from None
    finally:
        unfinished.unlink(missing_ok=True)


@contextlib.contextmanager
def new_path(path: Path, lake: Path, *, force: bool = False) -> Iterator[Path]:
    """A file or directory to be made beside its name, which it takes when it is complete.

    lake : a directory in which nothing may be written but by commits
    force : replace what is there

    Raises BrainlakeError where something is there, or where it would lie inside of the lake.
    """
    whole = path.resolve()
    if whole.is_relative_to(lake.resolve()):
        raise BrainlakeError(f"{path} lies inside of the lake {lake}, which only commits write to: name another place")
    if not force and (path.exists() or path.is_symlink()):
        raise BrainlakeError(f"{path} is there already: --force replaces it")
    if not whole.parent.is_dir():
        raise BrainlakeError(f"{path} cannot be written: there is no directory {whole.parent}")
    unfinished, old = (whole.with_name(f".{whole.name}.{os.getpid()}.{what}") for what in ("part", "old"))
    try:
        yield unfinished
        if whole.is_dir():
            whole.rename(old)
        unfinished.rename(whole)
    except OSError as error:
        if old.exists() and not whole.exists():
            old.rename(whole)
        raise BrainlakeError(f"{path}: cannot be written: {error.strerror or error}") from None
    finally:
        for leftover in (unfinished, old):
            _remove(leftover)


def _remove(path: Path) -> None:
    import shutil

    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
