"""A lake to try things on: files generated in the true Allen layouts, and some thirty questions about them.

The data are made up (their layout is not): two Neuropixels sessions, the LFP of a probe, the project's tables; of the
Cell Types Database its tables, a cell's sweeps, its reconstruction and its models; and a small brain in the reference
space, with experiments of the connectivity atlas.
"""

from __future__ import annotations

import itertools
import shutil
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .demo_questions import CELL, OTHER_SESSION, SESSION, Asked, domains
from .errors import BrainlakeError
from .output import write_answer

if TYPE_CHECKING:
    from .facade import Lake
    from .fetching import How

ROWS_SHOWN = 8
EXPERIMENT = 112951097  # of the connectivity atlas: small, and shown in the reference's own examples
# What a demo brings from the API, small enough for a slow line: what, ids, edge of a voxel in um.
ONLINE: tuple[tuple[str, tuple[int, ...], int], ...] = (
    ("structures", (), 25),
    ("cells", (), 25),
    ("experiments", (), 25),
    ("unionizes", (EXPERIMENT,), 25),
    ("projection_density", (EXPERIMENT,), 100),
)
# Made-up tables that say what real ones say, too
_TABLES_OF_CELLS = ("cells.json", "ephys_features.csv", "morphology_features.csv")


def demo(directory: Path, *, replace: bool = False, online: How | None = None) -> None:
    """Make files, a lake of them and pictures in ``directory``, telling what is done on standard output.

    online : how real data are brought from the Atlas API first; None makes up everything

    Raises BrainlakeError where something is in the directory already and ``replace`` is not said, or where it is not
    an earlier demo.
    """
    files, at, pictures = directory / "files", directory / "lake", directory / "pictures"
    _clear(directory, replace)
    pictures.mkdir(parents=True)
    _say(f"Making recordings in {files}")
    _make_files(files)

    from .opening import create

    with create(at) as lake:
        is_real = online is not None and bring_real(lake, online)
        if is_real:
            shutil.rmtree(files / "brain")
            for name in _TABLES_OF_CELLS:
                (files / "cell_types" / name).unlink()
        _say(f"$ brainlake --lake {at} ingest {files} --with lfp")
        report = lake.ingest(files, with_parts=["lfp"])
        print(report.summary())
        report.raise_failed()
        frames = {"my_labels": _labels(lake)}
        numbers = itertools.count(1)
        for domain, questions in domains(is_real).items():
            _say(f"--- {domain} ---")
            for asked in questions:
                _answer(lake, next(numbers), asked, frames, pictures)
        _draw_page(lake, pictures)
    _say(f'Go on: brainlake --lake {at} sql "from ecephys.sessions"')


def bring_real(lake: Lake, how: How) -> bool:
    """Fetch a little of the public data into a lake, telling of it; false, and why, where the API does not give it.

    What came before something failed stays: each fetch is whole.
    """
    from dataclasses import replace

    for what, ids, um in ONLINE:
        words = " ".join([what, *map(str, ids)])
        _say(f"$ brainlake --lake {lake.path} fetch {words}")
        try:
            report = lake.fetch(what, *ids, how=replace(how, um=um))
            report.raise_failed()
        except BrainlakeError as error:
            print(f"{error}\nReal data cannot be had now: the demo goes on with generated files.", flush=True)
            return False
        print(report.ingested.summary(), flush=True)
    return True


def _clear(directory: Path, replace: bool) -> None:
    if not directory.exists() or not any(directory.iterdir()):
        return
    if {entry.name for entry in directory.iterdir()} - {"files", "lake", "pictures"}:
        raise BrainlakeError(f"{directory} holds something else: name another directory")
    if not replace:
        raise BrainlakeError(f"{directory} holds a demo already: --replace makes it anew")
    shutil.rmtree(directory)


def _make_files(folder: Path) -> None:
    from ..tests.fixtures.allen_ecephys import make_probe_lfp, make_session
    from ..tests.fixtures.brain_lake import make_brain
    from ..tests.fixtures.cell_types_lake import make_everything
    from ..tests.fixtures.project_tables import make_project_tables
    from ..tests.fixtures.swc import random_neuron, swc

    folder.mkdir(parents=True)
    first = make_session(folder / f"session_{SESSION}.nwb", session_id=SESSION)
    second = make_session(folder / f"session_{OTHER_SESSION}.nwb", session_id=OTHER_SESSION, seed=1, layout="v1")
    make_probe_lfp(folder / f"probe_{first.probes[0].probe_id}_lfp.nwb", first, probe=0)
    make_project_tables(folder / "project", [first, second])
    make_everything(folder / "cell_types")
    make_brain(folder / "brain")
    cell = folder / "cell_types" / f"specimen_{CELL}"
    (cell / "reconstruction.swc").write_text(swc(random_neuron(3)))
    (cell / "reconstruction.marker").unlink()


def _labels(lake: Lake) -> Any:
    """A frame that a user might have: here units by the width of their spikes."""
    return lake.sql(
        """
        select unit_id, if(waveform_duration < 0.4, 'narrow', 'broad') as cell_class
        from ecephys.good_units
        """
    ).pl()


def _answer(lake: Lake, number: int, asked: Asked, frames: dict[str, Any], pictures: Path) -> None:
    query = textwrap.dedent(asked.sql).strip()
    _say(f"{number:2}  {asked.title}")
    print(textwrap.indent(query, "    "), flush=True)
    relation = lake.sql(query, tables={name: frame for name, frame in frames.items() if name in query} or None)
    write_answer(relation.reader(), "table", look=ROWS_SHOWN)
    if picture := asked.picture:
        _save(lambda: getattr(relation.plot, picture)().figure, pictures / f"{number:02}_{picture}.png")


def _draw_page(lake: Lake, pictures: Path) -> None:
    """Everything that is known of the patched cell, on one page."""

    def page() -> Any:
        from ..views.plots.cell_dashboard import cell_dashboard, frames

        return cell_dashboard(frames(lambda query: lake.sql(query).pl(), CELL), title=f"cell {CELL}")

    _say(f"--- All of cell {CELL} on one page ---")
    _save(page, pictures / f"cell_{CELL}.png")


def _save(draw: Callable[[], Any], path: Path) -> None:
    try:
        import matplotlib
    except ImportError:
        print("    (a picture needs matplotlib: pip install 'brainlake[plots]')")
        return
    matplotlib.use("Agg")
    draw().savefig(path, dpi=120, bbox_inches="tight")
    print(f"    picture: {path}")


def _say(text: str) -> None:
    """A heading, set apart from answers; bold on a terminal."""
    bold, plain = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")
    print(f"\n{bold}{text}{plain}", flush=True)
