"""The command ``brainlake``: the same few verbs as :class:`.facade.Lake`, for shells.

Exit codes: 0 ok, 1 something the user can mend, 2 a defect or damage, 130 interrupted.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .errors import BrainlakeError, QueryError
from .output import FORMATS, ROWS_SHOWN, write_answer

if TYPE_CHECKING:
    from .facade import Lake
    from .ingestion import IngestReport, Item
    from .relation import Relation

USER_ERROR, DEFECT, INTERRUPTED = 1, 2, 130
NOTES_SHOWN = 20


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
        return _fail(error.format_message().rstrip(".") + usage, USER_ERROR)
    except BrainlakeError as error:
        return _fail(str(error), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return _fail("stopped; the lake holds what was reported done, and nothing half", INTERRUPTED)
    except OSError as error:
        return _fail(f"{error.filename or 'output'}: {error.strerror or error}", USER_ERROR)
    except Exception as error:
        if os.environ.get("BRAINLAKE_TRACEBACK"):
            traceback.print_exc()
        text = f"{type(error).__name__}: {error} (a defect of brainlake: please report it, with BRAINLAKE_TRACEBACK=1)"
        return _fail(text, DEFECT)


def _fail(message: str, code: int) -> int:
    print(f"brainlake: {message}", file=sys.stderr)
    return code


class _Where:
    """The lake that a command works on; opened when it is needed, closed when the command ends."""

    def __init__(self, path: Path | None, at: str | None) -> None:
        self.path, self.at = path, at

    def open(self) -> Lake:
        from .facade import open

        at = int(self.at) if self.at and self.at.isdigit() else self.at
        return click.get_current_context().with_resource(open(self.path, at))

    def open_latest(self) -> Lake:
        """For commands that write: the past cannot be written to."""
        if self.at is not None:
            raise click.UsageError("--at looks back; it does not go with a command that writes")
        return self.open()


pass_where = click.make_pass_decorator(_Where)


def _examples(*lines: str) -> str:
    """Examples below a command's help, as they are typed."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def _output_options(command: Any) -> Any:
    for option in (
        click.option("--rows", default=ROWS_SHOWN, show_default=True, help="Rows a table on screen shows; 0: all."),
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


class _InOrder(click.Group):
    """Lists its commands in the order of this file: the way of a newcomer, not of the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(
    cls=_InOrder,
    epilog=_examples(
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
@click.version_option(package_name="brainlake", message="%(prog)s %(version)s")
@click.pass_context
def brainlake(context: click.Context, path: Path | None, at: str | None) -> None:
    """Ask questions of brain recordings in SQL.

    A lake is a directory of Parquet files with a catalogue. `ingest` turns NWB files and project tables into rows,
    each file by one commit; `sql` asks; `tables`, `describe` and `find` tell what can be asked.
    """
    context.obj = _Where(path, at)


@brainlake.command(epilog=_examples("brainlake create", "brainlake --lake /data/neuropixels create"))
@pass_where
def create(where: _Where) -> None:
    """Make an empty lake in a new or empty directory."""
    from .facade import create

    with create(where.path) as lake:
        click.echo(f"created {lake.path}")


@brainlake.command(
    epilog=_examples(
        "brainlake ingest session_791319847.nwb --dry-run",
        "brainlake ingest sessions/ project/*.csv --jobs 4",
        "brainlake ingest probe_805008600_lfp.nwb --with lfp",
        "brainlake ingest 'recordings/**/*.nwb' --only units,spikes",
        "brainlake ingest --stale",
    )
)
@click.argument("sources", nargs=-1, metavar="SOURCE...")
@click.option("--only", metavar="PARTS", help="Take these parts alone: units,spikes,stimuli ...")
@click.option("--with", "beside", metavar="PARTS", help="Take these beside the usual ones: lfp, waveforms ...")
@click.option("--dry-run", is_flag=True, help="Say what each source holds, in bytes, and what would be taken.")
@click.option("--as", "reader", metavar="READER", help="Read it so, where several readers or none claim a source.")
@click.option("--stale", is_flag=True, help="Also redo what older readers or table declarations wrote.")
@click.option("--salvage", is_flag=True, help="Take what is consistent of damaged sources; the rest is listed.")
@click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", help="Tell what the sources do not: version=ccf_2017."
)
@click.option("--jobs", type=click.IntRange(1), help="Files read at the same time. By default one a processor.")
@pass_where
def ingest(
    where: _Where,
    sources: tuple[str, ...],
    only: str | None,
    beside: str | None,
    dry_run: bool,
    reader: str | None,
    stale: bool,
    salvage: bool,
    settings: tuple[str, ...],
    jobs: int | None,
) -> int:
    """Read sources into the lake: files, folders, globs, URLs.

    Each file is one commit, whole or not at all. A file given again is left alone if nothing about it changed, and
    replaced if something did, wherever it lies now. A file that fails stops no other, and is listed at the end.
    """
    from .progress import ingest_progress

    if not sources and not stale:
        raise click.UsageError("name at least one SOURCE, or --stale")
    with ingest_progress() as progress:
        report = where.open_latest().ingest(
            sources,
            parts=_split(only),
            with_parts=_split(beside) or (),
            as_reader=reader,
            dry_run=dry_run,
            stale=stale,
            salvage=salvage,
            settings=_settings(settings),
            jobs=jobs,
            progress=progress,
        )
    return _tell(report)


def _split(names: str | None) -> list[str] | None:
    return None if names is None else [name.strip() for name in names.split(",") if name.strip()]


def _settings(pairs: tuple[str, ...]) -> dict[str, str]:
    for pair in pairs:
        if not pair.partition("=")[0].strip() or "=" not in pair:
            raise click.UsageError(f"--set {pair}: give NAME=VALUE")
    return {name.strip(): value for name, _, value in (pair.partition("=") for pair in pairs)}


def _tell(report: IngestReport) -> int:
    """Say what became of every source, failures last and on standard error; returns the exit code."""
    for item in report.items:
        if item.status != "failed":
            click.echo(item.line)
            _tell_notes(item)
    click.echo(report.summary().splitlines()[-1])
    for item in report.failed:
        _fail(str(item.error), USER_ERROR)
    if any(item.is_defect for item in report.failed):
        return DEFECT
    return USER_ERROR if report.failed else 0


def _tell_notes(item: Item) -> None:
    notes = [f"left out {what}: {why}" for what, why in item.skipped] + [f"note: {text}" for text in item.warnings]
    for note in notes[:NOTES_SHOWN]:
        click.echo(f"    {note}")
    if len(notes) > NOTES_SHOWN:
        click.echo(f"    and {len(notes) - NOTES_SHOWN} more: select warnings, skipped from lake.ingests")


@brainlake.command(
    epilog=_examples(
        'brainlake sql "select count(*) from ecephys.good_units"',
        "brainlake sql question.sql --param session=791319847 -o answer.parquet",
        "echo 'from ecephys.sessions' | brainlake sql --format json",
        "brainlake --at before_patch sql 'from ecephys.probes' --format csv",
        "brainlake --lake recording.nwb sql 'from ecephys.units'",
    )
)
@click.argument("query", required=False)
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="Value of $NAME in the query. Repeatable.")
@_output_options
@pass_where
def sql(
    where: _Where, query: str | None, params: tuple[str, ...], format: str | None, output: Path | None, rows: int
) -> None:
    """Ask a question in DuckDB's SQL.

    QUERY is the question, or the name of a .sql file that holds it; `-` or nothing reads standard input. Formats:
    table (for people), csv, json (an array of objects), parquet, arrow (a stream; with -o a Feather file), swc (the
    nodes of one reconstruction).
    """
    text = _query_text(query)
    write_answer(where.open().sql(text, _params(params) or None).reader(), format, output, rows)


def _query_text(query: str | None) -> str:
    if query is None and sys.stdin.isatty():
        raise click.UsageError("name a QUERY, a .sql file, or pipe one in")
    if query in (None, "-"):
        return sys.stdin.read()
    assert query is not None
    if query.endswith(".sql") and " " not in query:
        try:
            return Path(query).read_text(encoding="utf-8")
        except OSError as error:
            raise QueryError(f"{query}: {error.strerror}") from None
    return query


def _params(pairs: tuple[str, ...]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise click.UsageError(f"--param {pair}: write NAME=VALUE")
        try:
            values[name] = json.loads(value)  # numbers, true, null, lists
        except ValueError:
            values[name] = value
    return values


@brainlake.command(epilog=_examples("brainlake tables", "brainlake tables --format json"))
@_output_options
@pass_where
def tables(where: _Where, **output: Any) -> None:
    """List every relation a question can name."""
    _write(where.open().tables(), output)


@brainlake.command(epilog=_examples("brainlake describe ecephys.good_units", "brainlake describe ecephys.psth"))
@click.argument("name")
@_output_options
@pass_where
def describe(where: _Where, name: str, **output: Any) -> None:
    """Tell the columns of a table or view, or the parameters of a macro or function."""
    _write(where.open().describe(name), output)


@brainlake.command(epilog=_examples("brainlake find isi_violations", "brainlake find get_stimulus_table"))
@click.argument("word")
@_output_options
@pass_where
def find(where: _Where, word: str, **output: Any) -> None:
    """Find relations by a word: in names, descriptions, columns, or the Allen SDK's names."""
    _write(where.open().find(word), output)


@brainlake.command(epilog=_examples("brainlake holdings"))
@_output_options
@pass_where
def holdings(where: _Where, **output: Any) -> None:
    """Tell what is here, what is known but not here, and what failed."""
    _write(where.open().holdings, output)


@brainlake.command(epilog=_examples("brainlake snapshots --rows 0"))
@_output_options
@pass_where
def snapshots(where: _Where, **output: Any) -> None:
    """List the lake's history, a row a commit."""
    _write(where.open().snapshots(), output)


def _write(relation: Relation, output: dict[str, Any]) -> None:
    write_answer(relation.reader(), output["format"], output["output"], output["rows"])


@brainlake.command(epilog=_examples("brainlake tag submitted", "brainlake --at submitted sql 'from ecephys.sessions'"))
@click.argument("name")
@pass_where
def tag(where: _Where, name: str) -> None:
    """Name a snapshot (the latest, or the one of --at), to look back at it."""
    lake = where.open()
    lake.tag(name)
    click.echo(f"snapshot {lake.snapshot} is {name}")


@brainlake.command(epilog=_examples("brainlake diff ecephys.units 12 13", "brainlake diff lab.labels submitted 40"))
@click.argument("relation")
@click.argument("before")
@click.argument("after")
@_output_options
@pass_where
def diff(where: _Where, relation: str, before: str, after: str, **output: Any) -> None:
    """Tell the rows of a relation that only one of two snapshots has."""
    a, b = (int(at) if at.isdigit() else at for at in (before, after))
    rows = where.open().diff(relation, a, b).to_arrow()
    write_answer(rows.to_reader(), output["format"], output["output"], output["rows"])


@brainlake.command(epilog=_examples("brainlake write lab.labels labels.csv --key unit_id"))
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", metavar="COLUMNS", help="Columns that no two rows share.")
@pass_where
def write(where: _Where, name: str, file: Path, key: str | None) -> None:
    """Keep a table of your own (CSV, Parquet, JSON, Arrow) in the lake, under SCHEMA.NAME; replaces what it held."""
    done = where.open_latest().write(name, _frame(file), key=_split(key))
    click.echo(f"wrote {sum(done.n_rows.values()):,} rows to {name} (snapshot {done.snapshot_id})")


def _frame(file: Path) -> Any:
    import polars as pl

    readers: dict[str, Any] = {
        ".csv": pl.read_csv,
        ".parquet": pl.read_parquet,
        ".json": pl.read_json,
        ".arrow": pl.read_ipc,
        ".feather": pl.read_ipc,
    }
    if (read := readers.get(file.suffix.lower())) is None:
        raise BrainlakeError(f"{file}: its suffix is none of {', '.join(readers)}")
    try:
        return read(file)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BrainlakeError(f"{file}: cannot be read: {str(error).splitlines()[0]}") from None


@brainlake.command(
    epilog=_examples(
        "brainlake materialize",
        "brainlake materialize icephys.cell_features",
        "brainlake materialize ecephys.waveforms --where 'session_id in (715093703, 719161530)' --jobs 4",
    )
)
@click.argument("view", required=False)
@click.option("--where", "condition", metavar="CONDITION", help="Only partitions for which it holds.")
@click.option(
    "--jobs", type=click.IntRange(1), help="Partitions computed at the same time. By default one a processor."
)
@pass_where
def materialize(where: _Where, view: str | None, condition: str | None, jobs: int | None) -> int:
    """Compute a view now and keep its answer, a partition at a time; without VIEW, list those that can be kept.

    Questions then read what is kept, as long as nothing it depends on has changed. It is a cache: deleting the
    folder cache/ of a lake loses nothing but time.
    """
    from .progress import ingest_progress

    lake = where.open_latest()
    if view is None:
        for name in lake.materializable():
            click.echo(name)
        return 0
    with ingest_progress() as progress:
        done = lake.materialize(view, condition, jobs=jobs, progress=progress)
    for value, reason in done.failed.items():
        click.echo(f"failed: partition {value}: {reason}", err=True)
    click.echo(f"{view}: {len(done.computed)} partitions computed, {len(done.fresh)} were fresh")
    return USER_ERROR if done.failed else 0


@brainlake.command(epilog=_examples("brainlake explain 'from ecephys.good_units'"))
@click.argument("query", required=False)
@_output_options
@pass_where
def explain(where: _Where, query: str | None, **output: Any) -> None:
    """Tell how a question will be answered: what is stored, what is kept of views, and what is computed."""
    answer = where.open().explain(_query_text(query))
    write_answer(answer.to_reader(), output["format"], output["output"], output["rows"])


@brainlake.command(epilog=_examples("brainlake forget ecephys.session/715093703"))
@click.argument("subject")
@click.option("--role", help="Only what came in this role: session_nwb, project_csv ...")
@pass_where
def forget(where: _Where, subject: str, role: str | None) -> None:
    """Take out everything that came from a subject. Earlier snapshots keep it."""
    lake = where.open_latest()
    lake.forget(subject, role)
    click.echo(f"forgot {subject} (snapshot {lake.snapshot})")


@brainlake.command("check", epilog=_examples("brainlake check --deep", "brainlake check --repair"))
@click.option("--deep", is_flag=True, help="Read every file, not only its size.")
@click.option("--repair", is_flag=True, help="Remove files that no snapshot knows, left by interrupted work.")
@pass_where
def check_command(where: _Where, deep: bool, repair: bool) -> int:
    """Tell what is wrong with the lake, and what to do about it; exit code 2 if something is damaged."""
    from .facade import check  # works where the lake is too damaged to be opened

    findings = check(where.path, repair=repair, deep=deep)
    for finding in findings:
        click.echo(f"{finding.kind}: {finding.what} ({finding.remedy})")
    if not findings:
        click.echo("all is well")
    return DEFECT if any(finding.kind == "damage" for finding in findings) else 0


@brainlake.command(epilog=_examples("brainlake compact", "brainlake compact ecephys.nwb_units"))
@click.argument("table", required=False)
@pass_where
def compact(where: _Where, table: str | None) -> None:
    """Fold small files into large ones; answers do not change."""
    lake = where.open_latest()
    before = lake.snapshot
    lake.compact(table)
    click.echo("nothing to fold" if lake.snapshot == before else f"folded (snapshot {lake.snapshot})")


@brainlake.command(
    "validate-swc", epilog=_examples("brainlake validate-swc *.swc", "brainlake validate-swc --rules public cell.swc")
)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@click.option(
    "--rules",
    type=click.Choice(["public", "internal", "both"]),
    default="both",
    show_default=True,
    help="What to check for: the SDK's strict reader and NEURON, the feature pipeline, or both.",
)
def validate_swc(files: tuple[Path, ...], rules: str) -> int:
    """Tell of SWC files whether programs that read them will, and every rule they break; exit code 1 if one fails."""
    from .swc import check_lines

    passed = True
    for is_sound, lines in check_lines(files, rules):
        passed &= is_sound
        click.echo("\n".join(lines))
    return 0 if passed else USER_ERROR


@brainlake.command(epilog=_examples("brainlake demo", "brainlake --lake demo/lake sql 'from ecephys.sessions'"))
@click.argument("directory", default="demo", type=click.Path(file_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Make it anew where an earlier demo is.")
def demo(directory: Path, replace: bool) -> None:
    """Make a small lake from generated files, and answer a dozen questions, with pictures."""
    from .demo import demo

    demo(directory, replace=replace)
