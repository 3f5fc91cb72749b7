"""Serve a lake to clients of other systems."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ..rma.answers import Limits
from .base import INTERRUPTED, Where, as_snapshot, examples, pass_where

Command = TypeVar("Command", bound=Callable[..., Any])


def listening(port: int) -> Callable[[Command], Command]:
    """Options of a server that may listen beyond this machine: where, for whom, with which certificate."""
    file = click.Path(dir_okay=False, path_type=Path)
    options = [
        click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at."),
        click.option(
            "--port", type=click.IntRange(0, 65_535), default=port, show_default=True, help="0: any that is free."
        ),
        click.option(
            "--users",
            type=file,
            help="File of lines name:password, which only you may read. By default $BRAINLAKE_PASSWORD.",
        ),
        click.option("--tls-cert", type=file, help="Certificate chain, as PEM."),
        click.option("--tls-key", type=file, help="Its private key, as PEM."),
    ]

    def declare(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return declare


@click.group(epilog=examples("brainlake serve rma", "brainlake serve rma --port 9000 --seconds 10"))
def serve() -> None:
    """Answer clients of other systems from the lake."""


@serve.command(
    "rma",
    epilog=examples(
        "brainlake serve rma",
        "curl 'http://127.0.0.1:8712/api/v2/data/query.json?q=model::StructureSet'",
    ),
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen at; others than this machine's are yours to guard.",
)
@click.option("--port", type=click.IntRange(0, 65_535), default=8712, show_default=True, help="0: any that is free.")
@click.option(
    "--rows", type=click.IntRange(1), default=Limits.rows, show_default=True, help="Rows of an answer at most."
)
@click.option(
    "--seconds", type=click.FloatRange(0.1), default=Limits.seconds, show_default=True, help="Time a query may take."
)
@click.option(
    "--megabytes",
    type=click.FloatRange(0.1),
    default=Limits.megabytes,
    show_default=True,
    help="Size of an answer at most.",
)
@click.option("--quiet", is_flag=True, help="Tell of no request.")
@pass_where
def rma(where: Where, host: str, port: int, rows: int, seconds: float, megabytes: float, quiet: bool) -> None:
    """Answer as the Allen Brain Atlas API does, so that its clients run against the lake.

    Give them the address that is printed as their base address. The server reads the snapshot it began with; stop it
    with Ctrl-C.
    """
    from ..serve.memory import keep_flat
    from ..serve.rma import Server

    keep_flat()
    with Server(where.open(), host, port, Limits(rows, seconds, megabytes), quiet) as server:
        click.echo(f"serving {server.lake.path} at {server.url} (Ctrl-C stops)")
        server.serve_forever()


@serve.command(
    "flight",
    epilog=examples(
        "brainlake serve flight",
        """python -c "import adbc_driver_flightsql.dbapi as d, polars as pl
      print(pl.read_database('from ecephys.units', d.connect('grpc://127.0.0.1:8815')))\"""",
        "brainlake serve flight --host 0.0.0.0 --users users --tls-cert server.crt --tls-key server.key",
    ),
)
@listening(8815)
@click.option("--rows", type=click.IntRange(0), default=0, show_default=True, help="Rows of an answer; 0: any number.")
@click.option("--seconds", type=click.FloatRange(0.1), default=600.0, show_default=True, help="Time to compute one.")
@click.option(
    "--idle", type=click.FloatRange(1.0), default=300.0, show_default=True, help="Seconds a reader may do nothing."
)
@click.option(
    "--transaction",
    type=click.FloatRange(1.0),
    default=3600.0,
    show_default=True,
    help="Seconds a transaction or a prepared statement may do nothing.",
)
@click.option("--streams", type=click.IntRange(1), default=64, show_default=True, help="Answers read at once.")
@click.option(
    "--memory", metavar="SIZE", help="What the queries of a snapshot may use together, as 4GB.  [default: 80 % of all]"
)
@click.option("--quiet", is_flag=True, help="Tell of no answer.")
@pass_where
def flight(
    where: Where,
    host: str,
    port: int,
    users: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    rows: int,
    seconds: float,
    idle: float,
    transaction: float,
    streams: int,
    memory: str | None,
    quiet: bool,
) -> None:
    """Answer Arrow Flight SQL: ADBC's and JDBC's drivers, and through them polars, pandas and DBeaver.

    A statement sees the newest snapshot, a transaction one snapshot, and a client that sends the header
    `x-brainlake-snapshot` the one it names; --at pins all. Beyond this machine it listens with TLS and a password only.
    """
    from ..serve.exposure import tls_of
    from ..serve.flight.answers import Limits
    from ..serve.flight.server import Server
    from ..serve.memory import keep_flat
    from ..serve.snapshots import Snapshots
    from ..serve.users import load_users

    limits = Limits(rows, seconds, idle, streams, transaction=transaction)
    settings = {"memory_limit": memory} if memory else None
    log = (lambda _: None) if quiet else (lambda line: click.echo(line, err=True))
    keep_flat()
    with Snapshots(where.open().path, as_snapshot(where.at), settings) as snapshots:
        server = Server(
            snapshots, host, port, users=load_users(users), tls=tls_of(tls_cert, tls_key), limits=limits, log=log
        )
        try:
            click.echo(f"serving {snapshots.path} at {server.uri} (Ctrl-C stops)")
            server.wait()
        finally:
            if not server.stop(5.0):
                os._exit(INTERRUPTED)  # a client that reads nothing would hold the process


@serve.command(
    "postgres",
    epilog=examples(
        "brainlake serve postgres",
        """psql -h 127.0.0.1 -p 5439 -c "select structure_acronym, count(*) from ecephys.units group by all\"""",
        "brainlake serve postgres --host 0.0.0.0 --users users --tls-cert server.crt --tls-key server.key",
    ),
)
@listening(5439)
@click.option("--rows", type=click.IntRange(0), default=0, show_default=True, help="Rows of an answer; 0: any number.")
@click.option(
    "--seconds", type=click.FloatRange(0), default=0, show_default=True, help="Time a statement may take; 0: any."
)
@click.option(
    "--idle", type=click.FloatRange(1.0), default=3600.0, show_default=True, help="Seconds a client may say nothing."
)
@click.option("--clients", type=click.IntRange(1), default=100, show_default=True, help="Connections at a time.")
@click.option(
    "--per-client", type=click.IntRange(1), default=80, show_default=True, help="Of these, of one user or address."
)
@click.option(
    "--memory", metavar="SIZE", help="What the queries of a snapshot may use together, as 4GB.  [default: 80 % of all]"
)
@click.option("--quiet", is_flag=True, help="Tell of no client.")
@pass_where
def postgres(
    where: Where,
    host: str,
    port: int,
    users: Path | None,
    tls_cert: Path | None,
    tls_key: Path | None,
    rows: int,
    seconds: float,
    idle: float,
    clients: int,
    per_client: int,
    memory: str | None,
    quiet: bool,
) -> None:
    """Answer clients of PostgreSQL: psql, drivers (psycopg, JDBC, ODBC), BI tools, SQLAlchemy.

    A statement sees the newest snapshot; a repeatable-read transaction one snapshot; a client that connects to the
    database `lake@7` snapshot 7; --at pins all. Beyond this machine it listens with TLS and a password only.
    """
    from ..serve.exposure import tls_of
    from ..serve.memory import keep_flat
    from ..serve.postgres.client import Limits
    from ..serve.postgres.server import SETTINGS, Server
    from ..serve.snapshots import Snapshots
    from ..serve.users import load_users

    limits = Limits(clients, per_client, rows, seconds, idle)
    settings = {**SETTINGS, "memory_limit": memory} if memory else SETTINGS
    log = (lambda _: None) if quiet else (lambda line: click.echo(line, err=True))
    keep_flat()
    with Snapshots(where.open().path, as_snapshot(where.at), settings) as snapshots:
        server = Server(snapshots, host, port, load_users(users), tls_of(tls_cert, tls_key), limits, log)
        with server:
            click.echo(f"serving {snapshots.path} at {server.url} (Ctrl-C stops)")
            server.wait()
