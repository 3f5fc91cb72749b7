"""From what people name to files at hand: paths, folders, globs, URLs of any fsspec protocol, DANDI assets."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..lake.errors import BrainlakeError, SourceError
from .contract import Source
from .registry import SUFFIXES

_URL = re.compile(r"([a-z][a-z0-9+.-]+)(::[^:]+)*://", re.IGNORECASE)
_DANDI = re.compile(r"dandi:(\d{6})(?:@([\w.]+))?/(.+)")
DANDI_API = "https://api.dandiarchive.org/api"
BLOCK = 1 << 22


@contextlib.contextmanager
def fetching(folder: Path) -> Iterator[Fetcher]:
    """Expand arguments; remote files are fetched into ``folder``."""
    yield Fetcher(folder)


class Fetcher:
    """Turns arguments into sources, in a stable order and each once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def expand(self, arguments: Iterable[str | os.PathLike[str]]) -> list[Source]:
        """Every file the arguments mean. Raises SourceError for one that means none."""
        found: dict[str, Source] = {}
        for argument in arguments:
            for source in self._one(os.fspath(argument)):
                found.setdefault(source.url, source)
        return list(found.values())

    def _one(self, argument: str) -> list[Source]:
        if argument.startswith("dandi:"):
            return [self._fetch(_dandi_url(argument), argument)]
        if argument.startswith("file://"):
            argument = argument.removeprefix("file://")
        elif _URL.match(argument):
            return [self._fetch(url, url) for url in _remote(argument)]
        path = Path(argument).expanduser()
        if path.is_dir():
            files = sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
            if not files:
                raise SourceError(
                    path, None, f"the folder holds no file that a reader may know ({', '.join(sorted(SUFFIXES))})"
                )
        elif path.exists():
            files = [path]
        else:
            files = sorted(Path(p) for p in glob.glob(str(path), recursive=True) if Path(p).is_file())
            if not files:
                what = "no file matches" if glob.has_magic(argument) else "there is no such file or folder"
                raise SourceError(argument, None, what)
        return [Source(p.absolute(), str(p.absolute())) for p in files]

    def _fetch(self, url: str, name: str) -> Source:
        """A remote file, whole: written beside its place as ``.part``, renamed when its size is right."""
        import fsspec

        folder = self._folder / hashlib.sha256(name.encode()).hexdigest()[:16]
        target = folder / (url.split("?")[0].rstrip("/").rsplit("/", 1)[-1] or "download")
        try:
            filesystem, path = fsspec.core.url_to_fs(url)
            expected = filesystem.info(path).get("size")
            if target.exists() and expected is not None and target.stat().st_size == expected:
                return Source(target, name)
            folder.mkdir(parents=True, exist_ok=True)
            part = target.with_name(target.name + ".part")
            with filesystem.open(path, "rb") as remote, part.open("wb") as local:
                while block := remote.read(BLOCK):
                    local.write(block)
                local.flush()
                os.fsync(local.fileno())
        except BrainlakeError:
            raise
        except ImportError as error:
            raise SourceError(name, None, f"this protocol needs a package: {error}") from None
        except Exception as error:  # every file system of fsspec raises its own
            raise SourceError(
                name, None, f"cannot be fetched: {_said(error)}", "check the address and the network"
            ) from None
        if expected is not None and part.stat().st_size != expected:
            size = part.stat().st_size
            part.unlink()
            raise SourceError(name, None, f"came incomplete: {size:,} of {expected:,} bytes", "try again")
        os.replace(part, target)
        return Source(target, name)


def _said(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}{f': {text[0]}' if text else ''}"


def _remote(url: str) -> list[str]:
    """One URL, or those a pattern matches."""
    if not glob.has_magic(url.split("://", 1)[1].split("?")[0]) or url.startswith("http"):
        return [url]
    import fsspec

    try:
        filesystem, path = fsspec.core.url_to_fs(url)
        found = sorted(filesystem.glob(path))
    except (OSError, ValueError, ImportError) as error:
        raise SourceError(url, None, f"cannot be listed: {_said(error)}") from None
    if not found:
        raise SourceError(url, None, "no file matches")
    return [filesystem.unstrip_protocol(p) for p in found]


def _dandi_url(name: str) -> str:
    """The download address of ``dandi:000021[@version]/path``, as the archive's API gives it."""
    import requests

    match = _DANDI.fullmatch(name)
    if not match:
        raise SourceError(name, None, "is not dandi:000000[@version]/path")
    dandiset, version, path = match.groups()
    url = f"{DANDI_API}/dandisets/{dandiset}/versions/{version or 'draft'}/assets/"
    try:
        reply = requests.get(url, params={"path": path}, timeout=60)
        reply.raise_for_status()
        results: list[dict[str, Any]] = [r for r in reply.json()["results"] if r["path"] == path]
    except (requests.RequestException, ValueError, KeyError) as error:
        raise SourceError(name, None, f"the archive cannot be asked: {_said(error)}", "check the network") from None
    if not results:
        raise SourceError(name, None, f"dandiset {dandiset} has no asset {path}")
    return f"{DANDI_API}/assets/{results[0]['asset_id']}/download/"
