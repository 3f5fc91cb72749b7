"""What the project's cache counts: units, channels and probes of their owners, distinct values, session metadata."""

from __future__ import annotations

import duckdb
import pytest
from brainlake.tests.fixtures.memory import memory_connection

LIMITS = {"amplitude_cutoff": [0.0] * 4, "presence_ratio": [1.0] * 4, "isi_violations": [0.0] * 4}


@pytest.fixture(scope="module")
def project():
    """Sessions 1 and 2 with probes 10, 11 and 20; three of four units are good."""
    con = memory_connection(
        {
            "ecephys.project_sessions": {
                "session_id": [1, 2],
                "session_type": ["functional_connectivity", "brain_observatory_1.1"],
                "full_genotype": ["wt/wt", "wt/wt"],
                "sex": ["M", "F"],
                "age_in_days": [101.0, 99.5],
            },
            "ecephys.project_probes": {
                "session_id": [1, 1, 2], "probe_id": [10, 11, 20], "name": ["probeA", "probeB", "probeA"],
            },
            "ecephys.project_channels": {
                "channel_id": [100, 101, 102, 110],
                "probe_id": [10, 10, 10, 11],
                "local_index": [2, 1, 0, 0],
                "structure_id": [385, None, 382, 385],
                "structure_acronym": ["VISp", None, "CA1", "VISp"],
            },
            "ecephys.project_units": {
                "unit_id": [1000, 1001, 1002, 1003],
                "peak_channel_id": [100, 100, 102, 101],  # the last is out of the brain
                **LIMITS,
            },
        }
    )  # fmt: skip
    yield con
    con.close()


def test_sessions_count_good_units_all_channels_and_structures_in_first_seen_order(project):
    assert project.sql("from ecephys.session_counts order by session_id").fetchall() == [
        (1, 3, 4, 2, ["VISp", None, "CA1"]),  # by channel id: 100, 101, 102
        (2, 0, 0, 1, []),
    ]


def test_probes_and_channels_count_what_they_own(project):
    assert project.sql("from ecephys.probe_counts order by probe_id").fetchall() == [
        (1, 10, 3, 3, ["VISp", None, "CA1"]),
        (1, 11, 0, 1, ["VISp"]),
        (2, 20, 0, 0, []),
    ]
    assert project.sql("from ecephys.channel_counts order by channel_id").fetchall() == [
        (1, 100, 2),
        (1, 101, 0),
        (1, 102, 1),
        (1, 110, 0),
    ]


def test_units_are_counted_by_structure(project):
    assert project.sql("from ecephys.structurewise_unit_counts order by n_units desc").fetchall() == [
        (1, "VISp", 2),
        (1, "CA1", 1),
    ]


def test_distinct_values_come_in_first_seen_order_without_null(project):
    def values(of_column):
        return project.execute(
            f"select value_index, value, n from ecephys.distinct_values('{of_column}') order by 1"
        ).fetchall()

    assert values("session_type") == [(0, "functional_connectivity", 1), (1, "brain_observatory_1.1", 1)]
    assert values("full_genotype") == [(0, "wt/wt", 2)]
    assert values("sex") == [(0, "M", 1), (1, "F", 1)]
    assert values("age_in_days") == [(0, "101.0", 1), (1, "99.5", 1)]
    assert values("structure_acronym") == [(0, "VISp", 2), (1, "CA1", 1)]


def test_distinct_values_of_something_else_says_what_there_is(project):
    with pytest.raises(duckdb.Error, match="knows session_type, full_genotype"):
        project.sql("from ecephys.distinct_values('species')").fetchall()


def test_session_metadata_has_the_references_fourteen_fields(project):
    relation = project.sql("from ecephys.session_metadata order by session_id")
    assert relation.columns == [
        "session_id", "specimen_name", "session_type", "full_genotype", "sex", "age_in_days", "rig_equipment_name",
        "session_start_time_utc", "num_units", "num_channels", "num_probes", "num_stimulus_presentations",
        "structure_acronyms", "stimulus_names",
    ]  # fmt: skip
    # along probeA by local index: CA1, out of the brain, VISp
    assert [row[8:] for row in relation.fetchall()] == [(3, 4, 2, 0, ["CA1", None, "VISp"], []), (0, 0, 1, 0, [], [])]
