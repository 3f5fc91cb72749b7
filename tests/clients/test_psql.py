"""psql: its commands, its formats, \\copy."""

from __future__ import annotations

import csv
import io
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from brainlake.tests.fixtures.served import DATABASE, MANY, PASSWORD, USER, Served

pytestmark = pytest.mark.skipif(not shutil.which("psql"), reason="needs psql: apt-get install postgresql-client")


def psql(served: Served, *commands: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    given = [part for command in commands for part in ("-c", command)]
    where = ["-h", "127.0.0.1", "-p", str(served.port), "-U", USER, DATABASE]
    return subprocess.run(
        ["psql", "-X", *options, *where, *given],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PGPASSWORD": PASSWORD, "PGCLIENTENCODING": "UTF8"},
    )


def told(served: Served, *commands: str) -> str:
    ran = psql(served, *commands)
    assert not ran.returncode, ran.stderr
    assert "ERROR" not in ran.stderr, ran.stderr
    return ran.stdout


def test_it_lists_relations_with_their_kinds(served: Served) -> None:
    listed = told(served, r"\dt lab.*")
    assert [line.split("|")[1].strip() for line in listed.splitlines()[3:5]] == ["many", "values"]
    assert "good_units" in told(served, r"\dv ecephys.*")
    assert "good_units" not in told(served, r"\dt ecephys.*")
    assert {"ecephys", "lab", "public"} <= {line.split("|")[0].strip() for line in told(served, r"\dn").splitlines()}
    assert f" {DATABASE} " in told(served, r"\l")
    assert "alice" in told(served, r"\du")


def test_it_describes_a_table_with_keys_and_a_view_with_units_and_text(served: Served) -> None:
    table = told(served, r"\d ecephys.spike_trains")
    assert '"spike_trains_pkey" PRIMARY KEY, btree (session_id, time_block, unit_id)' in table
    assert "| bigint[]" in table
    view = told(
        served, r"\d+ ecephys.running_speed" if _has(served, "ecephys.running_speed") else r"\d+ behavior.running_speed"
    )
    assert "(cm/s)" in view
    assert "View definition:" in told(served, r"\d+ ecephys.good_units")


def _has(served: Served, name: str) -> bool:
    return "Did not find" not in psql(served, rf"\d {name}").stderr


def test_it_lists_macros_and_kernels_as_functions(served: Served) -> None:
    assert 'session "any", include_filtered "any" DEFAULT false' in told(served, r"\df behavior.screen_gaze")
    assert "correlogram" in told(served, r"\df")


@pytest.mark.parametrize(
    "command", [r"\dx", r"\di lab.*", r"\dp lab.*", r"\dT", r"\db", r"\dD", r"\ds", r"\dm", r"\dconfig"]
)
def test_its_other_lists_come_without_a_complaint(served: Served, command: str) -> None:
    told(served, command)


def test_values_come_as_postgres_writes_them(served: Served) -> None:
    ran = psql(
        served,
        "select * exclude (ingest_id) from lab.values order by value_id",
        options=("-A", "-t", "-F", "\x1f", "-R", "\x1e"),
    )
    rows = [row.split("\x1f") for row in ran.stdout.rstrip("\x1e\n").split("\x1e")]
    assert rows[0][1:9] == [
        "7",
        "7",
        "9007199254740993",
        "1.5",
        "0.1",
        "t",
        "naïve 'quoted' \"twice\" 🧠",
        r"\x00ff5c27",
    ]
    assert rows[0][9] == "2020-09-13 12:26:40.123456"
    assert rows[1][1:6] == ["-32768", "-2147483648", "-9223372036854775808", "-0.0", "1e-300"]
    assert rows[2][1:] == [""] * 12
    assert rows[3][3:5] == ["9223372036854775807", "Infinity"]
    assert rows[3][11] == "{-Infinity}"
    assert rows[0][10] == "{1,9007199254740993}"


def test_copy_brings_every_row_to_a_file(served: Served, tmp_path: Path) -> None:
    file = tmp_path / "many.csv"
    told(served, rf"\copy (select n, half, name from lab.many order by n) to '{file}' csv header")
    rows = list(csv.reader(io.StringIO(file.read_text())))
    assert rows[0] == ["n", "half", "name"]
    assert len(rows) == MANY + 1
    assert rows[-1] == [str(MANY - 1), str((MANY - 1) / 2), f"row {MANY - 1}"]


def test_fetch_count_reads_by_a_cursor(served: Served) -> None:
    ran = psql(served, r"\set FETCH_COUNT 1000", "select count(*) over (), n from lab.many", options=("-A", "-t"))
    assert len(ran.stdout.splitlines()) == MANY


def test_a_mistake_points_to_its_place(served: Served) -> None:
    ran = psql(served, "select n, hlaf from lab.many")
    assert ran.returncode == 1
    assert "hlaf" in ran.stderr
    assert "^" in ran.stderr


def test_a_wrong_password_is_refused(served: Served) -> None:
    ran = subprocess.run(
        ["psql", "-X", "-h", "127.0.0.1", "-p", str(served.port), "-U", USER, DATABASE, "-c", "select 1"],
        capture_output=True,
        text=True,
        env={**os.environ, "PGPASSWORD": "guess"},
        timeout=60,
    )
    assert ran.returncode == 2
    assert "password authentication failed" in ran.stderr
