"""``python -m benchmarks [NAME ...]``: run benchmarks, print their tables, keep them as Markdown."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb

from . import (
    api,
    asking,
    ccf,
    connectivity,
    copying,
    counting,
    glif,
    growing,
    icephys,
    ingesting,
    keeping,
    morphology,
    serving,
    serving_flight,
    spike_layout,
    sweep_layout,
    sweeps,
    volume_layout,
)
from .material import Material
from .measure import Row, table

BENCHMARKS: dict[str, tuple[str, Callable[[Material], list[Row]]]] = {
    "ingest": ("Ingest", ingesting.speed),
    "memory": ("Memory of an ingest", ingesting.memory),
    "opening": ("Opening a lake", asking.opening),
    "windows": ("Windows of time", asking.windows),
    "analyses": ("Whole questions", asking.analyses),
    "sweeps": ("Sweeps of a cell", sweeps.fetching),
    "sweep_ingest": ("Ingest of a cell's sweeps", sweeps.ingesting),
    "features": ("Features of a recorded cell", icephys.features),
    "counting": ("Counts of 500 units in 50,000 windows", counting.counting),
    "morphology": ("Features of reconstructions", morphology.morphology),
    "ccf": ("The reference space at 25 um", ccf.ccf),
    "connectivity": ("8 M unionizes", connectivity.connectivity),
    "api": ("The Atlas API over a lake", api.api),
    "glif": ("GLIF models simulated", glif.simulating),
    "growth": ("A growing lake", growing.growth),
    "billion": ("A lake of 1,000 M spikes", growing.billion),
    "keeping": ("Keeping a lake", keeping.keeping),
    "many": ("Many small ingests", growing.many_ingests),
    "serving": ("Served over PostgreSQL's wire", serving.serving),
    "serving_flight": ("Served over Arrow Flight SQL", serving_flight.serving_flight),
    "copying": ("One session out of 1,000", copying.copying),
}

INTRODUCTION = """# Benchmarks

Measured by `python -m benchmarks --output docs/benchmarks.md` (`make bench`): {cores} cores, Python {python},
DuckDB {duckdb}. Files and lakes are generated in the true Allen layout, files lie in the page cache, times are medians.
Ours and each peer run on the same data in the same run; a ratio above 1 says how many times faster ours is. Windows and
counts are compared with an independent computation before they are timed. The Allen SDK and eFEL run in environments of their
own, named by `$BRAINLAKE_ALLENSDK_PYTHON` and `$BRAINLAKE_EFEL_PYTHON`.
"""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    names = [*BENCHMARKS, "layout", "sweep_layout", "volume_layout"]
    usual = [name for name in BENCHMARKS if name != "billion"]
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"which: {', '.join(names)}; all but billion and the layouts by default",
    )
    parser.add_argument(
        "--dir", type=Path, default=Path("bench-results"), help="where files and lakes are made and kept"
    )
    parser.add_argument("--spikes", type=float, default=45e6, help="spikes of the large session (default: 45e6)")
    parser.add_argument("--output", type=Path, help="write the tables into this Markdown file too")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(names)
    if unknown:
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    arguments.dir.mkdir(parents=True, exist_ok=True)
    material = Material(arguments.dir.resolve(), int(arguments.spikes))
    text = [INTRODUCTION.format(cores=os.cpu_count(), python=platform.python_version(), duckdb=duckdb.__version__)]
    missed = 0
    for name in arguments.names or usual:
        if name == "layout":
            shown = spike_layout.compare(material.directory, material.n_spikes)
        elif name == "sweep_layout":
            shown = sweep_layout.compare(material.directory)
        elif name == "volume_layout":
            shown = volume_layout.compare(material.directory)
        else:
            title, run = BENCHMARKS[name]
            rows = run(material)
            missed += sum(row.ok is False for row in rows)
            shown = table(title, rows)
        print(shown, flush=True)
        text.append(shown)
    if arguments.output:
        arguments.output.write_text("\n".join(text), encoding="utf-8")
    print(f"{missed} targets missed" if missed else "all targets met", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
