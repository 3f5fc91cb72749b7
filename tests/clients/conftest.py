"""A server for real clients, in a process of its own: some clients hold Python's lock while they wait for an answer."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brainlake
import pytest
from brainlake.tests.fixtures.served import PASSWORD, USER, VALUES, Served, many, values


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = Path(tmp_path_factory.mktemp("served"))
    path, users = folder / "lake", folder / "users"
    with brainlake.create(path) as lake:
        lake.write("lab.values", values(), key=["value_id"])
        lake.write("lab.many", many(), key=["n"])
    users.write_text(f"{USER}:{PASSWORD}\n")
    users.chmod(0o600)
    command = [sys.executable, "-m", "brainlake", "--lake", path, "serve", "postgres", "--port", "0", "--users", users]
    server = subprocess.Popen(
        [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        port = re.search(r":(\d+)\b", line)
        if port is None:
            raise AssertionError(f"the server does not start: {line} {server.communicate()[1]}")
        with brainlake.open(path) as lake:
            yield Served(int(port[1]), lake)
    finally:
        server.terminate()
        server.communicate(timeout=30)


@pytest.fixture(scope="session")
def expected(served: Served) -> list[tuple[Any, ...]]:
    """The rows of lab.values, in process."""
    return served.rows(VALUES)
