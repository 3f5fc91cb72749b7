"""Who calls: a name and password give a token, and the token says who calls from then on."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow.flight as flight

from ..users import Users
from .held import GoneError, Held

LOGIN_S = 12 * 3600.0  # a token that is not used for so long is none any more
MOST_LOGINS = 10_000
SNAPSHOT_HEADERS = ("x-brainlake-snapshot", "database")  # the second as JDBC's and ODBC's drivers know it
Headers = Mapping[str, Sequence[str | bytes]]


class Login:
    """A user who has proved to be one."""

    def __init__(self, user: str) -> None:
        self.user = user

    def close(self) -> None:
        """Nothing is held beyond the name."""


class Caller(flight.ServerMiddleware):
    """Who makes a call, and at which snapshot it looks (None: the newest)."""

    def __init__(self, user: str, at: str | None, token: str | None = None) -> None:
        self.user, self.at, self._token = user, at, token

    def sending_headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self._token}"} if self._token else {}


class Logins(flight.ServerMiddlewareFactory):
    """Lets in who proves to be a user; without users, whoever reaches the server."""

    def __init__(self, users: Users) -> None:
        self._users = users
        self._tokens: Held[Login] = Held("login", LOGIN_S, MOST_LOGINS, drops_oldest=True)

    def start_call(self, info: Any, headers: Headers) -> Caller:
        at = snapshot_of(headers)
        kind, _, proof = _first(headers, "authorization").partition(" ")
        if kind.lower() == "bearer":
            return Caller(self._of_token(proof.strip()), at)
        if kind.lower() == "basic":
            user, password = _name_and_password(proof.strip())
            if len(self._users) and not self._users.verify(user, password):
                raise flight.FlightUnauthenticatedError("no user has this name and password")
            token = self._tokens.add("", Login(user if len(self._users) else ""))
            return Caller(user if len(self._users) else "", at, base64.urlsafe_b64encode(token).decode())
        if len(self._users):
            raise flight.FlightUnauthenticatedError("log in with a name and password")
        return Caller("", at)

    def _of_token(self, token: str) -> str:
        try:
            return self._tokens.get("", base64.urlsafe_b64decode(token)).user
        except (GoneError, ValueError):
            if not len(self._users):
                return ""
            raise flight.FlightUnauthenticatedError("the login has ended: log in again") from None

    def sweep(self) -> None:
        """Forget who has not called for long."""
        self._tokens.sweep()


class OpenHandshake(flight.ServerAuthHandler):
    """Lets the handshake through, as the headers of each call say who it is."""

    def authenticate(self, outgoing: Any, incoming: Any) -> None:
        """Nothing to say: the answer's headers hold the token."""

    def is_valid(self, token: bytes) -> bytes:
        return b""


def snapshot_of(headers: Headers) -> str | None:
    """The snapshot that a call asks for, by ``x-brainlake-snapshot: 7`` or ``database: lake@7``."""
    pinned = _first(headers, SNAPSHOT_HEADERS[0])
    return pinned or _first(headers, SNAPSHOT_HEADERS[1]).partition("@")[2] or None


def _first(headers: Headers, name: str) -> str:
    values = next((values for key, values in headers.items() if key.lower() == name), ())
    value = values[0] if values else ""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _name_and_password(proof: str) -> tuple[str, str]:
    try:
        padded = proof.rstrip("=") + "=" * (-len(proof.rstrip("=")) % 4)  # some clients leave the padding out
        name, colon, password = base64.b64decode(padded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        colon = ""
    if not colon:
        raise flight.FlightUnauthenticatedError("the authorization header is no name and password")
    return name, password
