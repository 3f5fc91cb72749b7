"""What commands share: the lake they work on, their options, and how they fail."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..output import FORMATS, ROWS_SHOWN, Look, format_for, write_answer

if TYPE_CHECKING:
    import pyarrow as pa

    from ..facade import Lake
    from ..relation import Relation

USER_ERROR, DEFECT, INTERRUPTED = 1, 2, 130
ROWS_AT_ONCE = 2048  # for a screen, which should not wait for many more rows than it shows


def fail(message: str, code: int) -> int:
    """Say on standard error what went wrong; returns the exit code."""
    print(f"brainlake: {message}", file=sys.stderr)
    return code


def as_snapshot(text: str | None) -> int | str | None:
    """A snapshot as it is typed: a number, else a tag or a time."""
    return int(text) if text and text.isdigit() else text


class Where:
    """The lake that a command works on; opened when it is needed, closed when the command ends."""

    def __init__(self, path: Path | None, at: str | None) -> None:
        self.path, self.at = path, at

    def open(self) -> Lake:
        from ..opening import open

        return click.get_current_context().with_resource(open(self.path, as_snapshot(self.at)))

    def open_latest(self) -> Lake:
        """For commands that write: the past cannot be written to."""
        if self.at is not None:
            raise click.UsageError("--at looks back; it does not go with a command that writes")
        return self.open()


pass_where = click.make_pass_decorator(Where)


def examples(*lines: str) -> str:
    """Examples below a command's help, as they are typed."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def output_options(command: Any, rows: int = ROWS_SHOWN) -> Any:
    """How an answer is written: ``--format``, ``-o``, ``--rows`` (by default so many), ``-x``, ``--no-header``."""
    for option in (
        click.option("--no-header", is_flag=True, help="No names above the columns (table, csv, tsv)."),
        click.option("-x", "--expanded", is_flag=True, help="A line for each value, for rows wider than the screen."),
        click.option("--rows", default=rows, show_default=True, help="Rows a table on screen shows; 0: all."),
        click.option(
            "-o",
            "--output",
            type=click.Path(dir_okay=False, path_type=Path),
            help="Write to a file; its suffix tells the format.",
        ),
        click.option("--format", type=click.Choice(FORMATS), help="By default table, for people."),
    ):
        command = option(command)
    return command


def listing_options(command: Any) -> Any:
    """:func:`output_options` of a listing, which is shown whole."""
    return output_options(command, rows=0)


def write_rows(reader: pa.RecordBatchReader, output: dict[str, Any]) -> None:
    """Write record batches as the options say."""
    look = Look(output["rows"], not output["no_header"], output["expanded"])
    write_answer(reader, output["format"], output["output"], look)


def write_relation(relation: Relation, output: dict[str, Any]) -> None:
    """Write an answer as the options say."""
    on_screen = format_for(output["format"], output["output"]) == "table" and output["rows"]
    write_rows(relation.reader(ROWS_AT_ONCE) if on_screen else relation.reader(), output)


def counted(number: int, what: str) -> str:
    """``1 file``, ``1,000 files``."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def split_names(names: str | None) -> list[str] | None:
    """Names with commas between them."""
    return None if names is None else [name.strip() for name in names.split(",") if name.strip()]
