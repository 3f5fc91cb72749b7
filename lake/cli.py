"""The command ``brainlake``: the same few verbs as :class:`.facade.Lake`, for shells.

Exit codes: 0 ok, 1 something the user can mend, 2 a defect or damage, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

import click

from .commands import asking, bringing, exporting, fetching, files, keeping, pipelines, pruning, serving, sharing
from .commands.base import DEFECT, INTERRUPTED, USER_ERROR, Where, examples, fail
from .commands.configuring import read_config
from .errors import BrainlakeError
from .logs import LEVELS, show_logs

# The way of a newcomer, not of the alphabet.
COMMANDS: tuple[click.Command, ...] = (
    bringing.create,
    bringing.ingest,
    fetching.fetch,
    asking.sql,
    asking.console,
    asking.tables,
    asking.describe,
    asking.find,
    asking.holdings,
    asking.ingests,
    asking.snapshots,
    keeping.tag,
    asking.diff,
    sharing.provenance,
    sharing.cite,
    sharing.lock,
    sharing.restore,
    sharing.copy,
    sharing.publish,
    sharing.upgrade,
    keeping.write,
    keeping.materialize,
    asking.explain,
    pruning.forget,
    pruning.compact,
    pruning.expire,
    pruning.du,
    pruning.check_command,
    files.validate_swc,
    pipelines.pipeline,
    exporting.export,
    serving.serve,
    files.demo,
)


def main() -> None:
    """Entry point: every failure is one line on standard error and an exit code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command; returns its exit code."""
    try:
        return int(brainlake.main(arguments, "brainlake", standalone_mode=False) or 0)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.ClickException as error:
        usage = f"; see `{error.ctx.command_path} --help`" if isinstance(error, click.UsageError) and error.ctx else ""
        return fail(error.format_message().rstrip(".") + usage, USER_ERROR)
    except BrainlakeError as error:
        return fail(str(error), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return fail("stopped; the lake holds what was reported done, and nothing half", INTERRUPTED)
    except OSError as error:
        return fail(f"{error.filename or 'output'}: {error.strerror or error}", USER_ERROR)
    except Exception as error:
        if os.environ.get("BRAINLAKE_TRACEBACK"):
            traceback.print_exc()
        text = f"{type(error).__name__}: {error} (a defect of brainlake: please report it, with BRAINLAKE_TRACEBACK=1)"
        return fail(text, DEFECT)


class _InOrder(click.Group):
    """Lists its commands in the order they were added."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(
    cls=_InOrder,
    epilog=examples(
        "brainlake create",
        "brainlake ingest session_791319847.nwb project/*.csv",
        'brainlake sql "select structure_acronym, count(*) as n from ecephys.good_units group by all"',
        "brainlake find spike_times",
        "brainlake demo",
    ),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--lake",
    "path",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="The lake, or one file to look into. By default $BRAINLAKE, or ./brainlake.",
)
@click.option("--at", metavar="SNAPSHOT", help="Look back: a snapshot's number, a tag, or a time.")
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="BRAINLAKE_CONFIG",
    is_eager=True,
    expose_value=False,
    callback=read_config,
    help="Options by section, [brainlake] (lake, at), [sql], [serve rma] ..., in INI or JSON. By default $BRAINLAKE_CONFIG.",
)
@click.option(
    "--log-level",
    type=click.Choice(LEVELS, case_sensitive=False),
    envvar="BRAINLAKE_LOG_LEVEL",
    help="Tell on standard error what is done, as each request to the API, from this level upwards.",
)
@click.version_option(package_name="brainlake", message="%(prog)s %(version)s")
@click.pass_context
def brainlake(context: click.Context, path: Path | None, at: str | None, log_level: str | None) -> None:
    """Ask questions of brain recordings in SQL.

    A lake is a directory of Parquet files with a catalogue. `ingest` turns NWB files and project tables into rows,
    each file by one commit; `sql` asks; `tables`, `describe` and `find` tell what can be asked.
    """
    if log_level is not None:
        show_logs(log_level)
    context.obj = Where(path, at)


for _command in COMMANDS:
    brainlake.add_command(_command)
