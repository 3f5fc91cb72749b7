"""A question about one session reads the files of one session: every partitioned view and table macro of a session."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from brainlake.lake.parquet import to_table
from brainlake.lake.questions import below, register, standard
from brainlake.lake.relations import RELATIONS
from brainlake.lake.tables import TABLES
from brainlake.tests.fixtures.memory import make_table

SESSIONS = (1, 2, 3)
PARTITIONED = [
    q.name for q in standard().values() if q.kind == "view" and q.partition == "session_id"
    and any(name in TABLES and TABLES[name].partition for name in below([q.name], standard()))
]  # fmt: skip
MACROS = ["ecephys.stimulus_table(2)", "ecephys.stimulus_parameter_values(2)", "ecephys.stimulus_gaps(2, ['s'])",
          "ecephys.drop_short_epochs(2)", "behavior.screen_gaze(2)"]  # fmt: skip

ROWS = {
    "ecephys.nwb_sessions": lambda s: {"session_id": [s], "source_session_id": ["s"], "source_layout": ["allen_v2"]},
    "ecephys.nwb_units": lambda s: {
        "session_id": [s], "unit_id": [10 * s], "source_unit_id": ["u"], "peak_channel_id": [s],
    },
    "ecephys.spike_trains": lambda s: {
        "session_id": [s], "time_block": [0], "unit_id": [10 * s], "n_spikes": [1], "spike_times": [[0.5]],
    },
    "ecephys.nwb_waveforms": lambda s: {
        "session_id": [s], "unit_id": [10 * s], "channel_id": [s], "waveform_index": [0], "is_peak": [True],
        "waveform": [[0.0]],
    },
    "ecephys.nwb_presentations": lambda s: {
        "session_id": [s], "stimulus_presentation_id": [0], "start_time": [0.0], "stop_time": [1.0],
        "stimulus_name": ["s"], "source_table": ["s"],
    },
    "ecephys.csd_channels": lambda s: {
        "session_id": [s], "probe_id": [s], "virtual_channel_index": [0], "timestamps": [[0.0]], "csd": [[0.0]],
    },
    "behavior.eye_tracking": lambda s: {"session_id": [s], "timestamp": [0.0]},
    "behavior.gaze_mapping": lambda s: {"session_id": [s], "timestamp": [0.0]},
    "behavior.running_speed": lambda s: {"session_id": [s], "timestamp": [0.0]},
    "behavior.running_wheel": lambda s: {"session_id": [s], "timestamp": [0.0]},
    "ecephys.lfp_chunks": lambda s: {
        "session_id": [s], "probe_id": [s], "channel_id": [s], "chunk": [0], "first_sample": [0], "n_samples": [1],
        "start_time": [0.0], "stop_time": [0.0], "samples": [[0.0]],
    },
    "ecephys.lfp_times": lambda s: {
        "session_id": [s], "probe_id": [s], "chunk": [0], "first_sample": [0], "timestamps": [[0.0]],
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def filed(tmp_path_factory) -> duckdb.DuckDBPyConnection:
    """A connection over tables laid out as in a lake: one file a session and partitioned table."""
    root: Path = tmp_path_factory.mktemp("data")
    con = duckdb.connect()
    for name, spec in TABLES.items():
        parts = {s: to_table(spec, ROWS[name](s), 1) for s in SESSIONS} if name in ROWS else {}
        if spec.partition != "session_id" or not parts:
            make_table(con, name, next(iter(parts.values()), spec.arrow.empty_table()))
            if parts:
                con.execute(f"delete from {name}")
            for part in parts.values():
                con.register("_part", part)
                con.execute(f"insert into {name} select * from _part")
                con.unregister("_part")
            continue
        con.execute(f"create schema if not exists {spec.schema_name}")
        for s, part in parts.items():
            folder = root / name / f"session_id={s}"
            folder.mkdir(parents=True)
            pq.write_table(part, folder / "0.parquet")
        con.execute(
            f"create view {name} as select * from read_parquet('{root / name}/*/*.parquet', hive_partitioning = true)"
        )
    for name, (_, schema) in RELATIONS.items():
        make_table(con, name, schema.empty_table())
    con.execute("insert into lake.parts by name select 1 as ingest_id, 'stimuli' as part, 'present' as state")
    register(con)
    yield con
    con.close()


def files_read(con: duckdb.DuckDBPyConnection, query: str) -> list[int]:
    """How many files each scan of Parquet files read."""
    plan = con.execute(f"explain analyze {query}").fetchall()[0][1]
    return [int(n) for n in re.findall(r"Total Files Read:\s*(\d+)", plan)]


@pytest.mark.parametrize("question", [*(f"{name} where session_id = 2" for name in PARTITIONED), *MACROS])
def test_a_question_about_one_session_reads_one_sessions_files(filed, question):
    read = files_read(filed, f"from {question}")
    assert read, "no file was read, so nothing is shown"
    assert max(read) <= 1


def test_a_question_about_all_sessions_reads_them_all(filed):
    """The counting itself works."""
    assert max(files_read(filed, "from ecephys.spikes")) == len(SESSIONS)
