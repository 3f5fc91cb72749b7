"""Options from a configuration file: what the command line does not say, a section of the file may (spec: api C-APP).

The file is INI, or JSON with comments: a section for each command, ``sql`` or ``serve rma``, and ``brainlake`` for the
options before a command. The command line wins over the file, and the file over the environment and the defaults.
"""

from __future__ import annotations

import configparser
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

OWN = "brainlake"  # the section of the options before a command


def read_config(context: click.Context, option: click.Parameter, path: Path | None) -> Path | None:
    """Takes the file's values as defaults of every command. Raises UsageError for what is no option of any."""
    if path is not None:
        defaults: dict[str, Any] = {}
        for section, values in _sections(path):
            command, below = context.command, defaults
            for name in section.removeprefix(f"{OWN} ").split() if section != OWN else ():
                found = command.get_command(context, name) if isinstance(command, click.Group) else None
                if found is None:
                    raise click.UsageError(f"{path}: section {section!r} names no command")
                command, below = found, below.setdefault(name, {})
            below |= {p.name: _value(p, v) for p, v in _options(path, section, command, values)}
        context.default_map = defaults
    return path


def _options(
    path: Path, section: str, command: click.Command, values: Mapping[str, Any]
) -> Iterator[tuple[click.Option, Any]]:
    named = {name.lstrip("-"): p for p in command.params if isinstance(p, click.Option) for name in p.opts}
    for name, value in values.items():
        option = named.get(name.replace("_", "-"))
        if option is None or option.is_eager:  # those that end the command, and this file's own
            raise click.UsageError(f"{path}: section {section!r} has no option {name!r}; see its --help")
        if value not in (None, ""):  # what is empty says nothing
            yield option, value


def _value(option: click.Option, value: Any) -> Any:
    if option.multiple and isinstance(value, str):
        return value.split("\n")  # a line each
    return value


def _sections(path: Path) -> list[tuple[str, Mapping[str, Any]]]:
    if path.suffix == ".json":
        from ...ingest.contract import Source
        from ...ingest.json_source import read_json

        found = read_json(Source(path, str(path)), comments=True)
        if not isinstance(found, dict) or not all(isinstance(values, dict) for values in found.values()):
            raise click.UsageError(f"{path}: is no object of sections, each an object of options")
        return list(found.items())
    parser = configparser.ConfigParser(interpolation=None, default_section="", delimiters=("=",))
    try:
        parser.read_string(path.read_text(encoding="utf-8"), str(path))
    except (configparser.Error, UnicodeDecodeError) as error:
        raise click.UsageError(f"{path}: is no configuration file: {' '.join(str(error).split())[:200]}") from None
    return [(name, {key: value.strip() for key, value in parser[name].items()}) for name in parser.sections()]
