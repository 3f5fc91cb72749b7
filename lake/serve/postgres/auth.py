"""SCRAM-SHA-256 from a server's side (RFC 5802, RFC 7677), as PostgreSQL's clients speak it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets

from ..users import Users, Verifier
from .errors import PgError, protocol_violation

MECHANISM = "SCRAM-SHA-256"
_FIRST = re.compile(
    r"(?P<header>[nyp][^,]*,(?:a=[^,]*)?,)(?P<bare>(?:m=[^,]*,)?n=[^,]*,r=(?P<nonce>[!-+\--~]+)(?:,.*)?)"
)
_FINAL = re.compile(r"(?P<unproved>c=(?P<binding>[^,]*),r=(?P<nonce>[^,]*)(?:,.*)?),p=(?P<proof>[^,]*)")


class Scram:
    """One exchange: the client's first message, our challenge, its proof, ours.

    user : the name of the startup message; the one inside of the exchange is left alone, as PostgreSQL leaves it
        (libpq sends none there).
    """

    def __init__(self, users: Users, user: str) -> None:
        self._verifier: Verifier = users.verifier(user)
        self._user, self._is_known = user, user in users

    def challenge(self, first: bytes) -> bytes:
        """The answer to a client's first message. Raises PgError where it is none, or asks for what is not here."""
        found = _FIRST.fullmatch(_ascii(first))
        if not found:
            raise protocol_violation("the first message of SCRAM cannot be read")
        if found["header"].startswith("p"):
            raise PgError("0A000", "channel binding was not offered", fatal=True)
        if found["bare"].startswith("m="):
            raise PgError("0A000", "SCRAM's mandatory extensions are not known here", fatal=True)
        self._header, self._bare = found["header"], found["bare"]
        self._nonce = found["nonce"] + secrets.token_urlsafe(18)
        salt = base64.b64encode(self._verifier.salt).decode()
        self._challenge = f"r={self._nonce},s={salt},i={self._verifier.iterations}"
        return self._challenge.encode()

    def verdict(self, final: bytes) -> bytes:
        """Our proof, where the client's holds. Raises PgError 28P01 where it does not."""
        found = _FINAL.fullmatch(_ascii(final))
        if not found or found["nonce"] != self._nonce:
            raise protocol_violation("the last message of SCRAM cannot be read")
        try:
            binding = base64.b64decode(found["binding"], validate=True)
            proof = base64.b64decode(found["proof"], validate=True)
        except binascii.Error:
            raise protocol_violation("the last message of SCRAM cannot be read") from None
        if binding != self._header.encode() or len(proof) != hashlib.sha256().digest_size:
            raise protocol_violation("the last message of SCRAM does not fit the first")
        signed = f"{self._bare},{self._challenge},{found['unproved']}".encode()
        signature = hmac.digest(self._verifier.stored_key, signed, "sha256")
        client_key = bytes(a ^ b for a, b in zip(proof, signature, strict=True))
        is_proved = hmac.compare_digest(hashlib.sha256(client_key).digest(), self._verifier.stored_key)
        if not (is_proved and self._is_known):
            raise refused(self._user)
        return b"v=" + base64.b64encode(hmac.digest(self._verifier.server_key, signed, "sha256"))


def refused(user: str) -> PgError:
    """What an unknown user is told, and one with a wrong password."""
    return PgError("28P01", f'password authentication failed for user "{user}"', fatal=True)


def _ascii(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise protocol_violation("a message of SCRAM is not text") from None
