"""From what people name to files at hand: paths, folders, globs, URLs of any fsspec protocol, DANDI assets."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePath, PurePosixPath
from typing import Any
from urllib.parse import unquote

from ..lake.errors import BrainlakeError, SourceError
from . import cache_manifests, packages
from .cache_manifests import CacheManifest
from .contract import Published, Source
from .registry import SUFFIXES

_URL = re.compile(r"([a-z][a-z0-9+.-]+)(::[^:]+)*://", re.IGNORECASE)
_DANDI = re.compile(r"dandi:(\d{6})(?:@([\w.]+))?/(.+)")
DANDI_API = "https://api.dandiarchive.org/api"
DANDI_DOI = "10.48324/dandi"  # of a published version: 10.48324/dandi.000021/0.210812.1500; a draft has none
DRAFT = "draft"
BLOCK = 1 << 22


def expand(arguments: Iterable[str | os.PathLike[str]], folder: Path) -> list[Source]:
    """Every file that paths, folders, globs and URLs mean, in a stable order and each once.

    folder : where remote files are fetched to; one that is there already and has not changed is not fetched again
    Raises SourceError for an argument that means no file.
    """
    with fetching(folder) as fetch:
        return fetch.expand(arguments)


@contextlib.contextmanager
def fetching(folder: Path) -> Iterator[Fetcher]:
    """A :class:`Fetcher` into a folder; what it left unfinished is removed."""
    fetcher = Fetcher(folder)
    try:
        yield fetcher
    finally:
        fetcher.discard_parts()


class Fetcher:
    """Turns arguments into sources."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parts: list[Path] = []
        self._dandisets: dict[tuple[str, str], Published] = {}

    def discard_parts(self) -> None:
        for part in self._parts:
            part.unlink(missing_ok=True)

    def expand(self, arguments: Iterable[str | os.PathLike[str]]) -> list[Source]:
        """Every file the arguments mean. Raises SourceError for one that means none."""
        return list(self.each(arguments))

    def each(self, arguments: Iterable[str | os.PathLike[str]]) -> Iterator[Source]:
        """The same one after the other: a remote file is fetched when it is asked for."""
        seen: set[str] = set()
        for argument in arguments:
            for source in self._one(os.fspath(argument)):
                if source.url not in seen:
                    seen.add(source.url)
                    yield source

    def _one(self, argument: str) -> Iterator[Source]:
        if argument.startswith("dandi:"):
            dandiset, version, asset = _dandi_parts(argument)
            found = self._fetch(_dandi_url(argument, dandiset, version, asset), argument)
            if (dandiset, version) not in self._dandisets:
                self._dandisets[dandiset, version] = _dandiset(dandiset, version)
            yield replace(found, published=self._dandisets[dandiset, version])
            return
        if argument.startswith("file://"):
            argument = unquote(argument.removeprefix("file://"))
        elif _URL.match(argument):
            yield from (self._fetch(url, url) for url in _remote(argument))
            return
        path = Path(argument).expanduser()
        named = not path.is_dir()
        if not named:
            files = sorted(p for p in path.rglob("*") if _is_wanted(p))
            if not files:
                raise SourceError(
                    path, None, f"the folder holds no file that a reader may know ({', '.join(sorted(SUFFIXES))})"
                )
        elif path.exists():
            manifest = cache_manifests.read(path)
            files, named = ([path], True) if manifest is None else (_of_cache(manifest), False)
        elif inside := packages.archive_of(path.absolute()):
            yield self._member(*inside)
            return
        else:
            files = sorted(Path(p) for p in glob.glob(str(path), recursive=True) if Path(p).is_file())
            if not files:
                what = "no file matches" if glob.has_magic(argument) else "there is no such file or folder"
                raise SourceError(argument, None, what)
        for file in (p.absolute() for p in files):
            if members := packages.members(file) if file.suffix.lower() == ".zip" else ():
                yield from (self._member(file, one) for one in members if _is_wanted_name(PurePosixPath(one)))
            else:
                yield Source(file, str(file), named=named)

    def _member(self, archive: Path, member: str) -> Source:
        """A file of a model's package, unpacked; its address is that of the package and its name in it."""
        name = f"{archive}/{member}"
        folder = self._folder / hashlib.sha256(name.encode()).hexdigest()[:16]
        return Source(packages.unpack(archive, member, folder), name, named=False)

    def _fetch(self, url: str, name: str) -> Source:
        """A remote file, whole: written beside its place as ``.part``, renamed when its size is right."""
        folder = self._folder / hashlib.sha256(name.encode()).hexdigest()[:16]
        target = folder / (name.split("?")[0].rstrip("/").rsplit("/", 1)[-1] or "download")
        version = target.with_name(target.name + ".version")
        part = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
        with _fetching_errors(name):
            import fsspec  # here, as a lake of local files does without

            filesystem, path = fsspec.core.url_to_fs(url)
            about = filesystem.info(path)
            expected, now = about.get("size"), _version(about)
            if target.exists() and target.stat().st_size == expected and _text(version) == now:
                return Source(target, name)
            folder.mkdir(parents=True, exist_ok=True)
            self._parts.append(part)
            with filesystem.open(path, "rb") as remote, part.open("wb") as local:
                shutil.copyfileobj(remote, local, BLOCK)
                local.flush()
                os.fsync(local.fileno())
        size = part.stat().st_size
        if expected is not None and size != expected:
            raise SourceError(name, None, f"came incomplete: {size:,} of {expected:,} bytes", "try again")
        os.replace(part, target)
        version.write_text(now)
        return Source(target, name)


def _of_cache(manifest: CacheManifest) -> list[Path]:
    """The files of a cache. Raises SourceError where its manifest names none that is there."""
    files = [path for path in manifest.files() if _is_wanted(path)]
    if not files:
        what = f"is the manifest of a {manifest.cache} cache of the Allen SDK, and no file that it names is there"
        raise SourceError(manifest.path, None, what, "name the folder that the cache's files are in")
    return files


def _is_wanted(path: Path) -> bool:
    return _is_wanted_name(path) and path.is_file()


def _is_wanted_name(path: PurePath) -> bool:
    """A file of a folder that a reader may know; hidden ones are other programs' notes (``._x.nwb`` of macOS)."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def _version(about: Mapping[str, Any]) -> str:
    """What tells one state of a remote file from another: all that its server says of it."""
    return hashlib.sha256(repr(sorted((k, str(v)) for k, v in about.items())).encode()).hexdigest()


def _text(path: Path) -> str | None:
    return path.read_text() if path.exists() else None


@contextlib.contextmanager
def _fetching_errors(name: str) -> Iterator[None]:
    """Every file system of fsspec raises its own."""
    try:
        yield
    except BrainlakeError:
        raise
    except ImportError as error:
        raise SourceError(name, None, f"this protocol needs a package: {error}") from None
    except Exception as error:
        reason = f"cannot be fetched: {_said(error)}"
        raise SourceError(name, None, reason, "check the address and the network") from None


def _said(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}{f': {text[0]}' if text else ''}"


def _remote(url: str) -> list[str]:
    """One URL, or those a pattern matches."""
    if not glob.has_magic(url.split("://", 1)[1].split("?")[0]) or url.startswith("http"):
        return [url]
    with _fetching_errors(url):
        import fsspec

        filesystem, path = fsspec.core.url_to_fs(url)
        found = sorted(filesystem.glob(path))
    if not found:
        raise SourceError(url, None, "no file matches")
    return [filesystem.unstrip_protocol(p) for p in found]


def _dandi_parts(name: str) -> tuple[str, str, str]:
    """Dandiset, version and path of ``dandi:000021[@version]/path``."""
    match = _DANDI.fullmatch(name)
    if not match:
        raise SourceError(name, None, "is not dandi:000000[@version]/path")
    dandiset, version, path = match.groups()
    return dandiset, version or DRAFT, path


def _dandi_url(name: str, dandiset: str, version: str, path: str) -> str:
    """The download address of an asset, as the archive's API gives it."""
    import requests

    url = f"{DANDI_API}/dandisets/{dandiset}/versions/{version}/assets/"
    try:
        reply = requests.get(url, params={"path": path}, timeout=60)
        reply.raise_for_status()
        results: list[dict[str, Any]] = [r for r in reply.json()["results"] if r["path"] == path]
    except (requests.RequestException, ValueError, KeyError) as error:
        raise SourceError(name, None, f"the archive cannot be asked: {_said(error)}", "check the network") from None
    if not results:
        raise SourceError(name, None, f"dandiset {dandiset} has no asset {path}")
    return f"{DANDI_API}/assets/{results[0]['asset_id']}/download/"


def _dandiset(dandiset: str, version: str) -> Published:
    """What the archive tells of a dandiset; where it cannot be asked, what the address itself tells."""
    import requests

    bare = Published(
        f"dandi_{dandiset}",
        f"DANDI:{dandiset}",
        version,
        None if version == DRAFT else f"{DANDI_DOI}.{dandiset}/{version}",
        url=f"https://dandiarchive.org/dandiset/{dandiset}/{version}",
        publisher="DANDI Archive",
    )
    try:
        reply = requests.get(f"{DANDI_API}/dandisets/{dandiset}/versions/{version}/", timeout=60)
        reply.raise_for_status()
        told = reply.json()
        title, doi = str(told["name"]), told.get("doi") or bare.doi
        licences = [str(one).removeprefix("spdx:") for one in told.get("license") or ()]
        people = [str(one["name"]) for one in told.get("contributor") or () if one.get("includeInCitation")]
        year = str(told.get("datePublished") or told.get("dateCreated") or "")[:4]
    except (requests.RequestException, ValueError, LookupError, TypeError, AttributeError):
        return bare
    return replace(
        bare,
        title=f"{title} (DANDI:{dandiset})",
        doi=doi,
        licence=", ".join(licences) or None,
        authors=tuple(people),
        year=year or None,
    )
