"""Serve a lake to clients of other systems."""

from __future__ import annotations

import click

from ..rma.answers import Limits
from .base import Where, examples, pass_where


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
    from ..serve.rma import Server

    with Server(where.open(), host, port, Limits(rows, seconds, megabytes), quiet) as server:
        click.echo(f"serving {server.lake.path} at {server.url} (Ctrl-C stops)")
        server.serve_forever()
