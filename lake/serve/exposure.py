"""Where a server may listen, and with what proof of its clients and of itself."""

from __future__ import annotations

import ipaddress
import os
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from ..errors import BrainlakeError
from .users import Users

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Tls:
    """A server's certificate chain and private key, as PEM files."""

    certificate: Path
    key: Path

    def read(self) -> tuple[bytes, bytes]:
        """Both, after a look whether they belong together. Raises BrainlakeError."""
        try:
            ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(
                self.certificate, self.key, password=lambda: _no_password(self.key)
            )
            return self.certificate.read_bytes(), self.key.read_bytes()
        except ssl.SSLError as error:
            raise BrainlakeError(
                f"{self.certificate} and {self.key} are no certificate with its key: {error.reason or error}"
            ) from None
        except OSError as error:
            raise BrainlakeError(f"{error.filename or self.certificate}: {error.strerror or error}") from None


def _no_password(key: Path) -> str:
    raise BrainlakeError(f"{key} is encrypted: give a key that is not, which only its owner may read")


def tls_of(certificate: str | os.PathLike[str] | None, key: str | os.PathLike[str] | None) -> Tls | None:
    """A certificate and its key, or neither. Raises BrainlakeError for one without the other."""
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise BrainlakeError("a certificate goes with its key: give --tls-cert and --tls-key")
    return Tls(Path(certificate), Path(key))


def is_loopback(host: str) -> bool:
    """Whether a server at this address is reached from this machine alone."""
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, None)}
    except OSError as error:
        raise BrainlakeError(f"{host} is no address to listen at: {error.strerror or error}") from None
    return bool(host) and all(ipaddress.ip_address(str(one).partition("%")[0]).is_loopback for one in found)


def refuse_unsafe(host: str, users: Users, tls: Tls | None) -> None:
    """Raises BrainlakeError where others than this machine could listen in, or ask without a password."""
    if not is_loopback(host):
        lacking = [
            what
            for what, is_there in (
                ("--tls-cert and --tls-key", tls),
                ("a password (--users or $BRAINLAKE_PASSWORD)", users),
            )
            if not is_there
        ]
        if lacking:
            raise BrainlakeError(
                f"{host} is reached from other machines: give {' and '.join(lacking)}, or listen at {LOOPBACK}"
            )
