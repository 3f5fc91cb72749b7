"""The project tables of the Neuropixels release as CSV files: sessions and their runs, probes, channels, units, metrics.

A table is known by its header, in the warehouse's own spelling (``PT_ratio``, ``genotype``) or in the one users know
(``waveform_PT_ratio``, ``full_genotype``). Structures are stored as published; the patch of eight probes is a view's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from ..lake.errors import SourceError
from ..lake.spec import TableSpec
from ..lake.tables import ecephys as tables
from .contract import Identity, Part, Report, Rows, Source
from .csv_columns import CsvRows, converted, extra_json, is_table, read_header, read_rows
from .ecephys_names import CHANNEL_RENAMES, METRIC_RENAMES, UNIT_RENAMES

DATASET = "Allen Brain Observatory: Visual Coding Neuropixels"
UNREGISTERED_UM = -1000.0  # CCF coordinate of a probe that was not registered
_CCF = ("ap_um", "dv_um", "ml_um")
_UNIT_ID = {"ecephys_unit_id", "unit_id"}
_RIGS_ZONE = "America/Los_Angeles"
_RUN_TIMES = ("run_start_time_utc", "run_stop_time_utc")


@dataclass(frozen=True)
class ProjectTable:
    """A kind of CSV file.

    needs : its header holds at least one name of each set; lacks : and none of these
    ids : names of the key column; renames : further names of the file -> of the lake
    """

    name: str
    specs: tuple[TableSpec, ...]
    needs: tuple[set[str], ...]
    ids: set[str]
    lacks: set[str] = field(default_factory=set)
    renames: Mapping[str, str] = field(default_factory=dict)
    is_subset: bool = False  # several files of this kind, each with other units, may live side by side

    def matches(self, header: Sequence[str]) -> bool:
        names = set(header)
        return bool(names & self.ids) and all(names & n for n in self.needs) and not names & self.lacks

    def targets(self, header: Sequence[str]) -> dict[str, str]:
        """Column of the file -> column of the lake, for all that the lake names."""
        known = {c.name for spec in self.specs for c in spec} - {"extra"}
        key = next(name for name in header if name in self.ids)
        found = {key: self.specs[0].key[0]}
        for name in header:
            target = self.renames.get(name, name)
            if target in known and target not in found.values():
                found.setdefault(name, target)
        return found


_SESSION = {"genotype": "full_genotype", "date_of_acquisition": "date_of_acquisition_utc"}
# Tried in this order: a merged table also looks like its parts.
PROJECT_TABLES = (
    ProjectTable(
        "annotated_units",
        (tables.ANNOTATED_UNITS, tables.ANNOTATED_UNIT_METRICS),
        needs=({"ecephys_channel_id", "peak_channel_id"}, {"ecephys_probe_id"}, {"ecephys_session_id"}, {"snr"}),
        ids={"id", *_UNIT_ID},
        renames={
            **_SESSION, **UNIT_RENAMES, **CHANNEL_RENAMES, **METRIC_RENAMES,
            "ecephys_session_id": "session_id", "name": "probe_name", "phase": "probe_phase",
        },
        is_subset=True,
    ),
    ProjectTable(
        "unit_analysis_metrics",
        (tables.PUBLISHED_UNIT_METRICS,),
        needs=({"area_rf", "firing_rate_fl", "fano_fl", "g_osi_dg", "g_osi_sg"},),
        ids=_UNIT_ID,
        renames=METRIC_RENAMES,
        is_subset=True,
    ),
    ProjectTable("unit_layers", (tables.UNIT_LAYERS,), needs=({"cortical_layer"},), ids=_UNIT_ID),
    ProjectTable("unit_latencies", (tables.UNIT_LATENCIES,), needs=({"time_to_first_spike_fl"},), ids=_UNIT_ID),
    ProjectTable(
        "units",
        (tables.PROJECT_UNITS,),
        needs=({"ecephys_channel_id", "peak_channel_id"}, {"snr"}, {"isi_violations"}),
        ids={"id", *_UNIT_ID},
        renames=UNIT_RENAMES,
    ),
    ProjectTable(
        "channels",
        (tables.PROJECT_CHANNELS,),
        needs=({"ecephys_probe_id"}, {"local_index"}, {"probe_vertical_position"}),
        ids={"id", "channel_id", "ecephys_channel_id"},
        renames=CHANNEL_RENAMES,
    ),
    ProjectTable(
        "probes",
        (tables.PROJECT_PROBES,),
        needs=({"ecephys_session_id"}, {"sampling_rate"}, {"lfp_sampling_rate"}, {"name"}),
        ids={"id", "probe_id", "ecephys_probe_id"},
        lacks={"ecephys_channel_id"},
        renames={"ecephys_session_id": "session_id"},
    ),
    ProjectTable(
        "sessions",
        (tables.PROJECT_SESSIONS,),
        needs=({"specimen_id"}, {"session_type"}, {"age_in_days"}, {"genotype", "full_genotype"}),
        ids={"id", "ecephys_session_id"},
        lacks={"ecephys_probe_id", "ecephys_channel_id"},
        renames={**_SESSION, "published_at": "published_at_utc"},
    ),
    ProjectTable(
        "session_runs",
        (tables.SESSION_RUNS,),
        needs=({"mouse_id"}, {"rig_id"}, {"ExperimentStartTime"}),
        ids={"session_id"},
        renames={
            "ExperimentStartTime": "run_start_time_utc", "ExperimentCompleteTime": "run_stop_time_utc",
            "rig_id": "rig_equipment_name", "operatorID": "operator",
        },
    ),
)  # fmt: skip


class ProjectCsvReader:
    """Reader of the project's CSV tables."""

    name = "ecephys_csv"
    version = "1"
    parts: Sequence[Part] = (
        Part("sessions", "sessions of the release"),
        Part("probes", "probes"),
        Part("channels", "channels"),
        Part("units", "units with quality metrics"),
        Part("unit_metrics", "published stimulus-tuning metrics of units"),
        Part("unit_layers", "cortical depth and layer of units"),
        Part("unit_latencies", "latency of units to flashes"),
    )

    def sniff(self, source: Source) -> bool:
        return is_table(source, _kind)

    def identify(self, source: Source) -> Identity:
        header = read_header(source)
        kind = self._kind_or_refuse(source, header)
        subject = f"ecephys.project/{kind.name}"
        if kind.is_subset:
            # one file a session type, or a session: nothing in it says which, but the units do
            key = {name: target for name, target in kind.targets(header).items() if target == "unit_id"}
            spans = [pc.min_max(_columns(source, kind, rows, key)["unit_id"]).as_py() for rows in read_rows(source)]
            if spans:
                subject += f"/{min(s['min'] for s in spans)}-{max(s['max'] for s in spans)}"
        return Identity(subject, "project_csv", dataset=DATASET)

    def inspect(self, source: Source, report: Report) -> None:
        kind = self._kind_or_refuse(source, read_header(source))
        # a merged table serves several parts from the same bytes: they are counted once
        for i, spec in enumerate(kind.specs):
            report.found(spec.part, source.path.stat().st_size if i == 0 else 0)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        header = read_header(source)
        kind = self._kind_or_refuse(source, header)
        for rows in put_right(read_rows(source)):
            yield from rows_of_table(source, kind, rows, parts)

    @staticmethod
    def _kind_or_refuse(source: Source, header: Sequence[str]) -> ProjectTable:
        kind = _kind(header)
        if kind is None:
            known = ", ".join(t.name for t in PROJECT_TABLES)
            raise SourceError(source, "header", f"is none of the project's tables ({known})")
        return kind


def put_right(batches: Iterable[CsvRows]) -> Iterator[CsvRows]:
    """Batches of one table with the two receptive-field columns under their own names (OD-11): the first that tells decides."""
    swapped: bool | None = None
    for rows in batches:
        given = rows.columns
        if {"p_value_rf", "on_screen_rf"} <= set(given):
            if swapped is None:
                swapped = _swapped(given["p_value_rf"], given["on_screen_rf"])
            if swapped:
                given["p_value_rf"], given["on_screen_rf"] = given["on_screen_rf"], given["p_value_rf"]
        yield rows


def rows_of_table(source: Source, kind: ProjectTable, rows: CsvRows, parts: frozenset[str]) -> Iterator[Rows]:
    """Rows of the lake of some rows of a project table, whose cells are text under the table's own names."""
    targets = kind.targets(list(rows.columns))
    unknown = [name for name in rows.columns if name not in targets]
    columns = _columns(source, kind, rows, targets)
    if unknown:
        columns["extra"] = extra_json({name: rows.columns[name] for name in unknown})
    for i, spec in enumerate(kind.specs):
        if spec.part in parts:
            taken = {c.name: columns[c.name] for c in spec if c.name in columns}
            if i:
                taken.pop("extra", None)  # kept once, with the units
            yield Rows(spec.name, pa.table(taken))


def _kind(header: Sequence[str]) -> ProjectTable | None:
    return next((table for table in PROJECT_TABLES if table.matches(header)), None)


def _swapped(p_value: Sequence[str], on_screen: Sequence[str]) -> bool | None:
    """OD-11: the warehouse's table has the two receptive-field columns under each other's name, told by their type."""
    flags = {"true", "false"}
    p_given, on_given = {v.lower() for v in p_value if v}, {v.lower() for v in on_screen if v}
    if not p_given or not on_given:
        return None
    return p_given <= flags and not on_given & flags


def _columns(source: Source, kind: ProjectTable, rows: CsvRows, targets: Mapping[str, str]) -> dict[str, pa.Array]:
    """Typed columns of the lake, with the project's conventions applied."""
    declared = {c.name: c for spec in reversed(kind.specs) for c in spec}
    columns = {target: converted(source, rows, name, declared[target]) for name, target in targets.items()}
    for name in _CCF:
        if name in columns:
            unregistered = pc.equal(columns[name], UNREGISTERED_UM)
            columns[name] = pc.if_else(unregistered, pa.scalar(None, pa.float64()), columns[name])
    if kind.name == "sessions" and "full_genotype" in columns:
        columns["full_genotype"] = pc.fill_null(columns["full_genotype"], "wt/wt")
    if kind.name == "session_runs":
        for name in columns.keys() & set(_RUN_TIMES):
            columns[name] = _of_seattle(source, columns[name])
    if "lfp_temporal_subsampling_factor" in columns and "lfp_sampling_rate" in columns:
        columns["lfp_sampling_rate_raw"] = columns["lfp_sampling_rate"]
        columns["lfp_sampling_rate"] = pc.divide(
            columns["lfp_sampling_rate"], columns["lfp_temporal_subsampling_factor"]
        )
    return columns


def _of_seattle(source: Source, times: pa.Array) -> pa.Array:
    """Times of the rigs' clocks, which name no zone, as UTC. Raises SourceError where a machine knows no time zones."""
    try:
        return pc.local_timestamp(pc.assume_timezone(times, _RIGS_ZONE).cast(pa.timestamp("us", "UTC")))
    except pa.ArrowInvalid as error:
        raise SourceError(source, None, f"has times of {_RIGS_ZONE}: {error}") from None


READER = ProjectCsvReader()
