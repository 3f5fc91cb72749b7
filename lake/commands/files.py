"""Work on files that need not be in a lake, and make a lake to try things on."""

from __future__ import annotations

from pathlib import Path

import click

from .base import USER_ERROR, examples


@click.command(
    "validate-swc", epilog=examples("brainlake validate-swc *.swc", "brainlake validate-swc --rules public cell.swc")
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
    from ..swc import check_lines

    passed = True
    for is_sound, lines in check_lines(files, rules):
        passed &= is_sound
        click.echo("\n".join(lines))
    return 0 if passed else USER_ERROR


@click.command(epilog=examples("brainlake demo", "brainlake --lake demo/lake sql 'from ecephys.sessions'"))
@click.argument("directory", default="demo", type=click.Path(file_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Make it anew where an earlier demo is.")
@click.option("--online", is_flag=True, help="Begin with real data, where the Atlas API can be reached.")
@click.option("--api", metavar="URL", help="The API's address. By default $BRAINLAKE_API, or the public one.")
def demo(directory: Path, replace: bool, online: bool, api: str | None) -> None:
    """Make a small lake from generated files, and answer thirty questions, with pictures."""
    from ..demo import demo
    from ..fetching import How

    demo(directory, replace=replace, online=How(api, attempts=2) if online else None)
