"""The GLIF models of Teeter et al. (2018) as their archive holds them: a folder a cell, three files a level.

``<specimen>_<line>/<specimen>_<line>_GLIF<level>_{neuron_config,exp_var_ratio_10ms,subthr_v}.json`` in a compressed tar.
The archive is read as a stream and never unpacked to disk: what a member is called decides only what it is about.
"""

from __future__ import annotations

import re
import tarfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

from ..lake.errors import SourceError
from .contract import Identity, Part, Report, Rows, Source, made_id
from .json_source import decoded, parsed
from .models_glif import columns_of, config_row, number

ARCHIVE = "GLIF_Teeter_et_al_2018"
DOI = "10.1038/s41467-017-02717-4"
MAX_MEMBERS = 200_000
MAX_MEMBER_BYTES = 1 << 20  # the longest has 2 kB
MAX_TOTAL_BYTES = 1 << 30  # of what the archive unpacks to; the real one has 4 MB
_LOOKED_AT = 64  # members that are asked for a name before an archive is said to be another
_GZIP = b"\x1f\x8b"
_BROKEN = (tarfile.TarError, EOFError, zlib.error, OSError, ValueError, OverflowError)
_NAME = re.compile(
    r"(?:.*/)?(?P<specimen>\d{6,15})_(?P<line>[^/]*)_GLIF(?P<level>[1-5])_"
    r"(?P<kind>neuron_config|exp_var_ratio_10ms|subthr_v)\.json",
    re.ASCII,
)
_VARIANCE = {"n1": "noise_1", "n2": "noise_2", "noise1": "noise_1", "noise2": "noise_2"}
_SUBTHRESHOLD = {
    "RSS_of_voltage_diff": "residual_sum_of_squares",
    "var_of_voltage_difference": "difference_variance",
    "var_of_voltage_data": "recorded_variance",
    "num_data_points_wo_spike_shape": "n_points",
}


@dataclass(frozen=True)
class Member:
    """A file of the archive that we know, and its text."""

    name: str
    specimen_id: int
    level: int
    kind: str
    text: str

    @property
    def neuronal_model_id(self) -> int:
        """The archive does not tell the API's ids: a model is known by its cell and level."""
        return made_id(ARCHIVE, f"specimen/{self.specimen_id}", f"GLIF{self.level}")


class TeeterReader:
    """Reader of the archive of GLIF models of 645 mouse cells."""

    name = "glif_archive"
    version = "1"
    parts: Sequence[Part] = (Part("glif", "configurations of GLIF models, and how well they explain their cells"),)

    def sniff(self, source: Source) -> bool:
        try:
            with source.path.open("rb") as file:
                if file.read(2) != _GZIP:
                    return False
                file.seek(0)
                with tarfile.open(fileobj=file, mode="r|gz") as archive:
                    for n, member in enumerate(archive):
                        if _NAME.fullmatch(member.name):
                            return True
                        if n >= _LOOKED_AT or member.size > MAX_MEMBER_BYTES:
                            return False
        except _BROKEN:
            return False
        return False

    def identify(self, source: Source) -> Identity:
        cells = sorted({member.specimen_id for member in _members(source, Report())})
        subject = f"models.glif_archive/{cells[0]}-{cells[-1]}"
        return Identity(subject, "glif_archive", dataset="GLIF models of Teeter et al. 2018", doi=DOI)

    def inspect(self, source: Source, report: Report) -> None:
        report.found("glif", source.path.stat().st_size)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        if "glif" not in parts:
            return
        rows: dict[str, list[dict[str, Any]]] = {"neuron_config": [], "exp_var_ratio_10ms": [], "subthr_v": []}
        for member in _members(source, report):
            found = parsed(source, member.name, member.text)
            if not isinstance(found, dict):
                raise SourceError(source, member.name, "is no JSON object")
            if member.kind == "neuron_config":
                row = config_row(source, member.name, found, member.neuronal_model_id, member.specimen_id)
                named = {"source_name": member.name.rsplit("/", 1)[-1], "named_specimen_id": member.specimen_id}
                if row["glif_level"] != member.level:
                    report.warn(f"{member.name}: its rules are those of level {row['glif_level']}")
                rows[member.kind].append({**row, **named})
            elif member.kind == "exp_var_ratio_10ms":
                rows[member.kind] += _variances(source, member, found)
            else:
                rows[member.kind] += _subthreshold(source, member, found)
        tables = ("models.glif_configs", "models.glif_explained_variance", "models.glif_subthreshold_fits")
        for table, taken in zip(tables, rows.values(), strict=True):
            if taken:
                yield Rows(table, columns_of(taken))


def _members(source: Source, report: Report) -> Iterator[Member]:
    """The known files of an archive, each model's kind once. Raises SourceError where it is broken, or too much."""
    seen: set[tuple[int, int, str]] = set()
    total = 0
    try:
        with source.path.open("rb") as file, tarfile.open(fileobj=file, mode="r|gz") as archive:
            for n, member in enumerate(archive):
                total += member.size
                if n >= MAX_MEMBERS or total > MAX_TOTAL_BYTES:
                    raise SourceError(
                        source, None, f"unpacks to over {MAX_TOTAL_BYTES:,} bytes or {MAX_MEMBERS:,} files"
                    )
                name = _NAME.fullmatch(member.name)
                if not member.isreg() or name is None:
                    if member.isreg():
                        report.skip(member.name[:200], "is none of the files of a GLIF model")
                    continue
                if member.size > MAX_MEMBER_BYTES:
                    raise SourceError(source, member.name, f"has {member.size:,} bytes, and no such file has")
                found = int(name["specimen"]), int(name["level"]), name["kind"]
                if found in seen:
                    raise SourceError(source, member.name, "is in the archive twice")
                seen.add(found)
                content: IO[bytes] | None = archive.extractfile(member)  # reads; nothing is written to disk
                data = content.read() if content else b""
                if len(data) != member.size:
                    raise SourceError(source, member.name, "is cut short")
                yield Member(member.name, *found, decoded(source, member.name, data))
    except _BROKEN as error:
        raise SourceError(source, None, f"is a broken archive: {error}") from None
    if not seen:
        raise SourceError(source, None, "holds no file of a GLIF model")


def _variances(source: Source, member: Member, found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for stage, noises in found.items():
        if stage == "n2_after_opt_sanitycheck":
            noises = {"noise_2": noises}
        elif stage not in ("before_opt", "after_opt") or not isinstance(noises, dict):
            continue  # two checks of how the models were run
        for noise, ratio in noises.items():
            yield {
                "neuronal_model_id": member.neuronal_model_id,
                "specimen_id": member.specimen_id,
                "optimization_stage": stage,
                "noise_name": _VARIANCE.get(noise, noise),
                "explained_variance_ratio": number(source, f"{member.name}, {stage} {noise}", ratio, optional=True),
            }


def _subthreshold(source: Source, member: Member, found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for noise, facts in found.items():
        if not isinstance(facts, dict):
            raise SourceError(source, f"{member.name}, {noise}", "is no JSON object")
        values = {
            name: number(source, f"{member.name}, {noise} {key}", facts.get(key), optional=True)
            for key, name in _SUBTHRESHOLD.items()
        }
        points = values["n_points"]
        yield {
            "neuronal_model_id": member.neuronal_model_id,
            "specimen_id": member.specimen_id,
            "noise_name": _VARIANCE.get(noise, noise),
            **values,
            "n_points": None if points is None else int(points),
        }


READER = TeeterReader()
