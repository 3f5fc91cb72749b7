"""One whole sweep is read past DuckDB, and nobody can tell but by the time it takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import brainlake
import numpy as np
import pyarrow as pa
import pytest
from brainlake.lake.errors import BrainlakeError, QueryError, UnknownError
from brainlake.lake.whole_sweeps import WholeSweep, whole_sweep
from brainlake.tests.fixtures.allen_icephys import MadeCell, make_cell, write_nwb1
from brainlake.tests.fixtures.mies_icephys import make_mies_sweeps, write_mies

CELL, OTHER = 464212183, 488677994
A_SWEEP = WholeSweep(CELL, 2, ())


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a cell whose samples are a digitiser's, of one whose are not, and of a recording by MIES."""
    folder = tmp_path_factory.mktemp("whole_sweeps")
    cell = make_cell(CELL, sampling_rate=20_000.0, amplitudes=(-50.0, 200.0), step=0.2)
    rng = np.random.default_rng(1)
    free = [replace(s, response=rng.normal(0, 1, len(s.response)).astype(np.float32)) for s in cell.sweeps]
    write_nwb1(folder / "cell.nwb", cell, version="1.1")
    write_nwb1(folder / "other.nwb", MadeCell(OTHER, tuple(free)), identifier="other")
    write_mies(folder / "mies.nwb", make_mies_sweeps(3))
    with brainlake.create(folder / "lake") as lake:
        lake.ingest(sorted(folder.glob("*.nwb"))).raise_failed()
    return folder / "lake"


@pytest.fixture
def lake(path: Path) -> Iterator[brainlake.Lake]:
    with brainlake.open(path) as lake:
        yield lake


@pytest.mark.parametrize(
    ("query", "params", "found"),
    [
        ("from icephys.sweep(464212183, 2)", None, A_SWEEP),
        (" SELECT *\nFROM icephys . Sweep ( 464212183 ,2 ) ; ", None, A_SWEEP),
        ("from icephys.sweep(specimen := 464212183, sweep := 2)", None, A_SWEEP),
        ("select sweep_number, Response from icephys.sweep(464212183, 2)", None, replace(A_SWEEP, columns=("sweep_number", "response"))),
        ("from icephys.sweep($1, $2)", [CELL, 2], A_SWEEP),
        ("from icephys.sweep($2, $1)", [2, CELL], A_SWEEP),
        ("from icephys.sweep(?, ?)", (CELL, 2), A_SWEEP),
        ("from icephys.sweep(464212183, ?)", [2], A_SWEEP),
        ("from icephys.sweep($cell, $n)", {"cell": CELL, "n": 2}, A_SWEEP),
        # what only looks like it
        ("from icephys.sweep(464212183, 2) where sampling_rate > 0", None, None),
        ("from icephys.sweep(464212183, 2), icephys.cells", None, None),
        ("from icephys.sweep(464212183, 2) limit 0", None, None),
        ("from icephys.sweep(464212183, 1 + 1)", None, None),
        ("from icephys.sweep(464212183, 2.0)", None, None),
        ("from icephys.sweep(sweep := 2, specimen := 464212183)", None, None),
        ("from icephys.sweep_window(464212183, 2)", None, None),
        ("select len(response) from icephys.sweep(464212183, 2)", None, None),
        ("select response as r from icephys.sweep(464212183, 2)", None, None),
        ("select response, response from icephys.sweep(464212183, 2)", None, None),
        ("select sampling_rate from icephys.sweep(464212183, 2)", None, None),
        ("from icephys.sweep($1, $2)", [CELL], None),
        ("from icephys.sweep($1, $2)", [CELL, 2, 3], None),
        ("from icephys.sweep($1, $2)", [CELL, None], None),
        ("from icephys.sweep($1, $2)", [CELL, "2"], None),
        ("from icephys.sweep(?, $1)", [CELL, 2], None),
        ("from icephys.sweep($1, 2)", None, None),
        ("from icephys.sweep(99999999999999999999, 2)", None, None),
    ],
)  # fmt: skip
def test_a_call_alone_is_told_from_what_looks_like_it(query: str, params: Any, found: WholeSweep | None) -> None:
    assert whole_sweep(query, params) == found


def keys(lake: brainlake.Lake) -> list[tuple[int, int]]:
    return lake.sql("select specimen_id, sweep_number from icephys.nwb_sweeps order by all").pl().rows()


@pytest.mark.parametrize("columns", ["*", "response", "stimulus_name, response, sampling_rate, stimulus", "stimulus"])
def test_every_sweep_is_answered_as_duckdb_answers_it(
    columns: str, lake: brainlake.Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = []
    answer = WholeSweep.answer

    def watched(self: WholeSweep, *given: Any) -> pa.Table | None:
        answered.append(answer(self, *given))
        return answered[-1]

    monkeypatch.setattr(WholeSweep, "answer", watched)
    sweeps = keys(lake)
    assert len({specimen for specimen, _ in sweeps}) == 4  # MIES recorded two
    for specimen, sweep in sweeps:
        relation = lake.sql(f"select {columns} from icephys.sweep({specimen}, {sweep})")
        usual = lake.sql(f"select {columns} from icephys.sweep({specimen}, {sweep}) limit 5")
        assert relation.types == usual.types
        table = relation.arrow()
        assert table.equals(usual.arrow())
        assert table.schema == relation.schema()
        assert [field.metadata for field in table.schema] == [field.metadata for field in relation.schema()]
        row, expected = relation.one(), usual.one()
        for name in relation.columns:
            np.testing.assert_array_equal(row[name], expected[name])
    assert len(answered) == 2 * len(sweeps)
    assert all(one is not None for one in answered)


def test_a_stimulus_that_is_not_there_is_null(lake: brainlake.Lake) -> None:
    """As DuckDB has it, over a sweep whose stimulus is taken away."""
    told = lake.sql("select stimulus, response from icephys.sweep(464212183, 2)")
    piece = next(p for p in told._session.partitions.pieces("icephys.stored_traces", ("specimen_id", "sweep_number"), CELL) if p.low == (CELL, 2))  # fmt: skip

    class WithoutStimulus:
        def pieces(self, *_: Any) -> list[Any]:
            def read(columns: tuple[str, ...]) -> pa.Table:
                row = piece.read(columns)
                at = row.column_names.index("stimulus_bytes")
                return row.set_column(at, "stimulus_bytes", pa.nulls(1, pa.binary()))

            return [replace(piece, read=read)]

    found = WholeSweep(CELL, 2, ("stimulus", "response")).answer(pa.table({"sweep_number": [2]}), WithoutStimulus())  # type: ignore[arg-type]
    assert found is not None
    assert found["stimulus"].to_pylist() == [None]
    assert found["response"].equals(told.arrow()["response"])


def test_what_is_not_there_and_what_is_wrong_is_said_as_ever(lake: brainlake.Lake) -> None:
    with pytest.raises(UnknownError, match="no cell 5"):
        lake.sql("from icephys.sweep(5, 2)").one()
    with pytest.raises(UnknownError, match="has no sweep 77"):
        lake.sql("select response from icephys.sweep($1, $2)", [CELL, 77]).arrow()
    with pytest.raises(QueryError, match="voltage"):
        lake.sql("select voltage, response from icephys.sweep(464212183, 2)")


def test_another_snapshot_has_its_own_sweeps(tmp_path: Path) -> None:
    cell = make_cell(CELL, sampling_rate=20_000.0, amplitudes=(-50.0, 200.0), step=0.2)
    louder = MadeCell(CELL, tuple(replace(s, response=s.response * np.float32(2)) for s in cell.sweeps))
    write_nwb1(tmp_path / "a.nwb", cell, version="1.1")
    write_nwb1(tmp_path / "b.nwb", louder, version="1.1")
    ask = "from icephys.sweep(464212183, 2)"
    with brainlake.create(tmp_path / "lake") as lake:
        lake.ingest(tmp_path / "a.nwb").raise_failed()
        relation = lake.sql(ask)
        before, first = relation.one().response, lake.snapshot
        lake.ingest(tmp_path / "b.nwb").raise_failed()
        lake.refresh()
        assert np.array_equal(relation.one().response, before * np.float32(2))
        assert np.array_equal(lake.at(first).sql(ask).one().response, before)


@pytest.mark.parametrize("harm", ["lost", "cut"])
def test_of_a_damaged_file_the_usual_error_tells(harm: str, tmp_path: Path) -> None:
    write_nwb1(tmp_path / "a.nwb", make_cell(CELL, sampling_rate=20_000.0, amplitudes=(200.0,), step=0.2))
    with brainlake.create(tmp_path / "lake") as lake:
        lake.ingest(tmp_path / "a.nwb").raise_failed()
    (file,) = (tmp_path / "lake" / "data" / "icephys" / "stored_traces").rglob("*.parquet")
    file.chmod(0o644)
    if harm == "lost":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:1000])

    def said(query: str) -> str:
        with brainlake.open(tmp_path / "lake") as lake, pytest.raises(BrainlakeError) as raised:
            lake.sql(query).one()
        return str(raised.value)

    told = said("from icephys.sweep(464212183, 2)")
    assert file.name in told
    assert told == said("from icephys.sweep(464212183, 2) limit 1")
