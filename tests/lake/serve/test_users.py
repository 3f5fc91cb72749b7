"""Users of the servers: where passwords come from, and what is kept of them."""

from __future__ import annotations

import base64
import hashlib
import hmac
from pathlib import Path

import pytest
from brainlake.lake.errors import BrainlakeError
from brainlake.lake.serve.users import Users, Verifier, load_users, prepared


def users_file(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "users"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_a_verifier_is_that_of_the_published_exchange() -> None:
    """RFC 7677, section 3: user, pencil, and the signature with which the server answers."""
    verifier = Verifier.of("pencil", base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096)
    nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    exchange = f"n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,c=biws,r={nonce}".encode()
    signature = base64.b64encode(hmac.digest(verifier.server_key, exchange, "sha256"))
    assert signature == b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    client_signature = hmac.digest(verifier.stored_key, exchange, "sha256")
    proof = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    client_key = bytes(a ^ b for a, b in zip(proof, client_signature, strict=True))
    assert hashlib.sha256(client_key).digest() == verifier.stored_key


def test_a_file_holds_passwords_and_verifiers(tmp_path: Path) -> None:
    kept = Verifier.of("opensesame")
    assert Verifier.parse(str(kept)) == kept
    users = load_users(users_file(tmp_path, f"# lab\n\nada:love:lace\nalan:{kept}\n"))
    assert users.verify("ada", "love:lace")
    assert users.verify("alan", "opensesame")
    for name, wrong in (("ada", "love"), ("ada", ""), ("alan", str(kept)), ("grace", "love:lace"), ("", "")):
        assert not users.verify(name, wrong)


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        ("ada:x\n", 0o640, "chmod 600"),
        ("ada:x\n", 0o604, "chmod 600"),
        ("ada\n", 0o600, "line 1: write name:password"),
        ("ada:\n", 0o600, "line 1"),
        ("\nada:x\nada:y\n", 0o600, "line 3: ada is there twice"),
        ("ada:SCRAM-SHA-256$4096:nonsense\n", 0o600, "line 1: not SCRAM-SHA-256"),
        ("ada:SCRAM-SHA-256$4096:AAAA$AAAA:AAAA\n", 0o600, "no sensible size"),
        ("# nobody\n", 0o600, "names no user"),
    ],
)
def test_a_file_that_is_no_list_of_users_is_refused(tmp_path: Path, text: str, mode: int, said: str) -> None:
    with pytest.raises(BrainlakeError, match=said) as refused:
        load_users(users_file(tmp_path, text, mode))
    assert "nonsense" not in str(refused.value)


def test_without_a_file_the_password_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BRAINLAKE_PASSWORD", raising=False)
    assert len(load_users()) == 0
    monkeypatch.setenv("BRAINLAKE_PASSWORD", "hush")
    assert load_users().verify("brainlake", "hush")
    monkeypatch.setenv("BRAINLAKE_USER", "ada")
    assert load_users().verify("ada", "hush")
    assert not load_users().verify("brainlake", "hush")
    monkeypatch.setenv("BRAINLAKE_PASSWORD", "")
    with pytest.raises(BrainlakeError, match="empty"):
        load_users()


def test_an_unknown_name_cannot_be_told_from_a_known_one() -> None:
    users = Users({"ada": Verifier.of("x")})
    assert users.verifier("nobody") == users.verifier("nobody")
    assert users.verifier("nobody").salt != users.verifier("somebody").salt
    assert users.verifier("nobody").iterations == users.verifier("ada").iterations


def test_nothing_that_proves_a_password_is_shown() -> None:
    users = Users({"ada": Verifier.of("x")})
    assert repr(users) == "Users(1)"
    assert repr(users.verifier("ada")) == "Verifier(...)"


@pytest.mark.parametrize(
    ("password", "expected"),
    [  # RFC 4013, section 3, and a password that SASLprep refuses, which is taken as it is
        ("I\u00adX", b"IX"), ("user", b"user"), ("USER", b"USER"), ("\u00aa", b"a"), ("\u2168", b"IX"),
        ("\u0627\u0031", "\u0627\u0031".encode()), ("caf\u00e9 \u00a0", "caf\u00e9  ".encode()),
    ],
)  # fmt: skip
def test_passwords_beyond_ascii_are_prepared(password: str, expected: bytes) -> None:
    assert prepared(password) == expected
