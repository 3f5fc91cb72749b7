"""A directory with the digest of every file of it: a bag, as archives exchange them (RFC 8493).

``manifest-sha256.txt`` lists what is under ``data/``, ``tagmanifest-sha256.txt`` the rest, itself left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from .digests import file_digest
from .errors import DamageError

DECLARATION = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
MANIFEST, TAG_MANIFEST = "manifest-sha256.txt", "tagmanifest-sha256.txt"
AT_ONCE = 4


def write_bag(root: Path, known: Mapping[str, str], facts: Mapping[str, str]) -> None:
    """Make a bag of a directory that holds ``data/``.

    known : digests that need not be computed, by path
    facts : lines of ``bag-info.txt``
    """
    payload = _files(root / "data", root)
    size = sum((root / name).stat().st_size for name in payload)
    told = {**facts, "Bagging-Date": f"{datetime.now(UTC):%Y-%m-%d}", "Payload-Oxum": f"{size}.{len(payload)}"}
    (root / "bagit.txt").write_text(DECLARATION, encoding="utf-8")
    lines = "".join(f"{name}: {' '.join(value.split())}\n" for name, value in told.items())
    (root / "bag-info.txt").write_text(lines, encoding="utf-8")
    digests = {name: known.get(name) or file_digest(root / name) for name in payload}
    (root / MANIFEST).write_text(_lines(digests), encoding="utf-8")
    tags = [name for name in _files(root, root) if not name.startswith("data/")]
    (root / TAG_MANIFEST).write_text(_lines({name: file_digest(root / name) for name in tags}), encoding="utf-8")


def is_bag(root: Path) -> bool:
    """Whether a directory tells the digests of its files."""
    return (root / MANIFEST).is_file() and (root / "bagit.txt").is_file()


def problems(root: Path, known: Mapping[str, str] | None = None) -> Iterator[tuple[str, str]]:
    """Path and trouble of each file of a bag that is missing, changed, or there although no manifest lists it.

    known : digests of files that were read already, by path: those are not read again
    """
    listed = _read(root / MANIFEST)
    tags = _read(root / TAG_MANIFEST) if (root / TAG_MANIFEST).exists() else {}
    told = {**listed, **tags}
    with ThreadPoolExecutor(AT_ONCE, "digest") as pool:
        found = pool.map(lambda name: _trouble(root / name, told[name], (known or {}).get(name)), told)
        for name, trouble in zip(told, found, strict=True):
            if trouble:
                yield name, trouble
    for name in _files(root / "data", root):
        if name not in listed:
            yield name, "is in no manifest"


def _trouble(path: Path, digest: str, known: str | None) -> str | None:
    if not path.is_file():
        return "is missing"
    return None if (known or file_digest(path)) == digest else "is not what the manifest lists: its SHA-256 is another"


def _files(folder: Path, root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in folder.rglob("*") if path.is_file())


def _lines(digests: Mapping[str, str]) -> str:
    return "".join(f"{digest}  {_escaped(name)}\n" for name, digest in sorted(digests.items()))


def _escaped(name: str) -> str:
    return name.replace("%", "%25").replace("\n", "%0A").replace("\r", "%0D")


def _read(manifest: Path) -> dict[str, str]:
    found = {}
    for line in manifest.read_text(encoding="utf-8").splitlines():
        digest, _, name = line.partition(" ")
        if len(digest) != 64 or not name.strip():
            raise DamageError(f"{manifest}: {line[:80]!r} is no line of a manifest")
        found[name.strip().replace("%0A", "\n").replace("%0D", "\r").replace("%25", "%")] = digest
    return found
