"""Who may ask a server: names and what proves their passwords, never the passwords themselves.

Passwords come from a file that only its owner reads, or from ``$BRAINLAKE_PASSWORD``; never from a command line, which
others see. What is kept of them are SCRAM-SHA-256 verifiers (RFC 5802, RFC 7677), in PostgreSQL's notation.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import secrets
import stat
import stringprep
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ..errors import BrainlakeError

ITERATIONS = 4096  # as PostgreSQL's
USER = "brainlake"  # whose password $BRAINLAKE_PASSWORD is, unless $BRAINLAKE_USER names another
_WRITTEN = re.compile(r"SCRAM-SHA-256\$(\d+):([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)")


@dataclass(frozen=True)
class Verifier:
    """What a server keeps of a password (RFC 5802)."""

    iterations: int
    salt: bytes
    stored_key: bytes
    server_key: bytes

    @classmethod
    def of(cls, password: str, salt: bytes | None = None, iterations: int = ITERATIONS) -> Verifier:
        """The verifier of a password."""
        salt = secrets.token_bytes(16) if salt is None else salt
        salted = hashlib.pbkdf2_hmac("sha256", prepared(password), salt, iterations)
        client_key = hmac.digest(salted, b"Client Key", "sha256")
        return cls(iterations, salt, hashlib.sha256(client_key).digest(), hmac.digest(salted, b"Server Key", "sha256"))

    @classmethod
    def parse(cls, text: str) -> Verifier:
        """A verifier in PostgreSQL's notation, as ``select rolpassword from pg_authid`` shows it. Raises ValueError."""
        found = _WRITTEN.fullmatch(text)
        if not found:
            raise ValueError("not SCRAM-SHA-256$iterations:salt$stored key:server key")
        salt, stored_key, server_key = (base64.b64decode(part, validate=True) for part in found.groups()[1:])
        if not salt or len(stored_key) != 32 or len(server_key) != 32 or not 1 <= int(found[1]) <= 10_000_000:
            raise ValueError("a salt, key or number of iterations has no sensible size")
        return cls(int(found[1]), salt, stored_key, server_key)

    def __str__(self) -> str:
        salt, stored_key, server_key = (
            base64.b64encode(part).decode() for part in (self.salt, self.stored_key, self.server_key)
        )
        return f"SCRAM-SHA-256${self.iterations}:{salt}${stored_key}:{server_key}"

    def __repr__(self) -> str:
        return "Verifier(...)"  # so that no log ever holds one

    def proves(self, password: str) -> bool:
        """Whether this is the password; the time it takes does not tell how much of it is right."""
        return hmac.compare_digest(self.of(password, self.salt, self.iterations).stored_key, self.stored_key)


def prepared(password: str) -> bytes:
    """A password's bytes by SASLprep (RFC 4013); as they are where that does not apply, as PostgreSQL takes them."""
    if password.isascii():
        return password.encode()
    mapped = "".join(
        " " if stringprep.in_table_c12(char) else char for char in password if not stringprep.in_table_b1(char)
    )
    normal = unicodedata.normalize("NFKC", mapped)
    refused = (
        stringprep.in_table_a1, stringprep.in_table_c12, stringprep.in_table_c21_c22, stringprep.in_table_c3,
        stringprep.in_table_c4, stringprep.in_table_c5, stringprep.in_table_c6, stringprep.in_table_c7,
        stringprep.in_table_c8, stringprep.in_table_c9,
    )  # fmt: skip
    is_right_to_left = any(map(stringprep.in_table_d1, normal))
    is_mixed = is_right_to_left and (
        any(map(stringprep.in_table_d2, normal))
        or not (stringprep.in_table_d1(normal[0]) and stringprep.in_table_d1(normal[-1]))
    )
    if not normal or is_mixed or any(check(char) for char in normal for check in refused):
        return password.encode("utf-8", "surrogatepass")
    return normal.encode()


class Users:
    """The users of a server. Without any, whoever reaches it may ask: for this machine's own programs only."""

    def __init__(self, verifiers: Mapping[str, Verifier]) -> None:
        self._verifiers = dict(verifiers)
        self._decoy = secrets.token_bytes(16)

    def __len__(self) -> int:
        return len(self._verifiers)

    def __repr__(self) -> str:
        return f"Users({len(self)})"

    def __contains__(self, name: str) -> bool:
        return name in self._verifiers

    def verifier(self, name: str) -> Verifier:
        """A user's verifier; for a name that is none, one that nothing proves, always the same for the same name."""
        return self._verifiers.get(name) or _decoy(self._decoy, name)

    def verify(self, name: str, password: str) -> bool:
        """Whether this is the password of a user; an unknown name takes as long as a wrong password."""
        return self.verifier(name).proves(password) and name in self._verifiers


@lru_cache(maxsize=1024)
def _decoy(secret: bytes, name: str) -> Verifier:
    salt = hmac.digest(secret, name.encode("utf-8", "surrogatepass"), "sha256")[:16]
    return Verifier(ITERATIONS, salt, secrets.token_bytes(32), secrets.token_bytes(32))


def load_users(path: str | os.PathLike[str] | None = None) -> Users:
    """Users of a file, or without one the one whose password ``$BRAINLAKE_PASSWORD`` is; without either, nobody.

    path : lines of ``name:password`` or ``name:SCRAM-SHA-256$...``; empty ones and ``#`` comments are left out

    Raises BrainlakeError where the file cannot be read, can be read by others, or a line is no user.
    """
    if path is None:
        password = os.environ.get("BRAINLAKE_PASSWORD")
        if password is None:
            return Users({})
        if not password:
            raise BrainlakeError("$BRAINLAKE_PASSWORD is empty: set a password, or unset it")
        return Users({os.environ.get("BRAINLAKE_USER") or USER: Verifier.of(password)})
    return Users(_read(Path(path)))


def _read(path: Path) -> dict[str, Verifier]:
    try:
        with path.open(encoding="utf-8") as file:
            mode = os.fstat(file.fileno()).st_mode
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise BrainlakeError(f"{path} holds passwords and others may read it: chmod 600 {path}")
            lines = file.read().splitlines()
    except OSError as error:
        raise BrainlakeError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BrainlakeError(f"{path} is not text in UTF-8") from None
    found: dict[str, Verifier] = {}
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, colon, secret = line.partition(":")
        name = name.strip()
        if not name or not colon or not secret:
            raise BrainlakeError(f"{path}, line {number}: write name:password")
        if name in found:
            raise BrainlakeError(f"{path}, line {number}: {name} is there twice")
        try:
            is_verifier = secret.startswith("SCRAM-SHA-256$")
            found[name] = Verifier.parse(secret.strip()) if is_verifier else Verifier.of(secret)
        except (ValueError, binascii.Error) as error:
            raise BrainlakeError(f"{path}, line {number}: {error}") from None
    if not found:
        raise BrainlakeError(f"{path} names no user: write lines of name:password")
    return found
