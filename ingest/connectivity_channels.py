"""An experiment's images by colour, laid onto the reference space: an archive of a volume each of red, green and blue.

The archive says nothing of the experiment: people do (``--set experiment=ID``), or the names of archive and folders
(spec: connectivity CON-021).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from ..lake.errors import SourceError
from .ccf_blocks import grey_rows
from .connectivity_names import DATASET
from .contract import Identity, Part, Report, Rows, Setting, Source, made_id
from .volume_files import Volume, format_of, open_volume
from .volume_zip import header_names

CHANNELS = ("red", "green", "blue")
_CHANNEL = re.compile(rf"(?:^|[^a-z])({'|'.join(CHANNELS)})(?:[^a-z]|$)")
_ID = re.compile(r"(?<!\d)(\d{6,})(?!\d)")


class ChannelReader:
    """Reader of the channels of an experiment."""

    name = "connectivity_channels"
    version = "1"
    parts: Sequence[Part] = (
        Part("volumes", "intensities by voxel, in blocks"),
        Part("channels", "which experiment and channel a volume is of"),
    )
    settings: Sequence[Setting] = (
        Setting("experiment", "id of the experiment that the volumes are of"),
        Setting("axes", "axes of the files, the fastest first, as ap,dv,ml"),
        Setting("spacing", "edge of a voxel in um, or three along ap, dv and ml"),
    )

    def sniff(self, source: Source) -> bool:
        try:
            return format_of(source) == "zip" and bool(_headers(source))
        except (SourceError, OSError):
            return False

    def identify(self, source: Source) -> Identity:
        return Identity(f"connectivity.experiment/{_experiment(source)[0]}", "channels", dataset=DATASET)

    def inspect(self, source: Source, report: Report) -> None:
        report.found("volumes", sum(volume.header.n_bytes for volume in _volumes(source).values()))

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        experiment_id, told_by = _experiment(source)
        volumes = _volumes(source)
        ids = {channel: made_id(f"connectivity.experiment/{experiment_id}", "channel", channel) for channel in volumes}
        # The blocks' partition is the volume: one after the other, in order.
        for channel in sorted(volumes, key=ids.__getitem__) if "volumes" in parts else ():
            volume = volumes[channel]
            for warning in volume.warnings:
                report.warn(f"{channel}: {warning}")
            yield from grey_rows(volume, ids[channel], "channel", told_by, volume.planes())
        if "channels" in parts:
            yield Rows(
                "connectivity.channel_volumes",
                {"experiment_id": [experiment_id] * len(ids), "channel": list(ids), "volume_id": list(ids.values())},
            )


def _headers(source: Source) -> dict[str, str]:
    """Channels that an archive holds, and the names of their headers."""
    named = {name: _CHANNEL.search(PurePosixPath(name).stem.lower()) for name in header_names(source)}
    return {found[1]: name for name, found in named.items() if found}


def _volumes(source: Source) -> dict[str, Volume]:
    headers = _headers(source)
    if not headers:
        raise SourceError(source, None, f"holds no volume (.mhd) that is named for {', '.join(CHANNELS)}")
    found = {channel: open_volume(source, headers[channel]) for channel in CHANNELS if channel in headers}
    shapes = {volume.header.shape for volume in found.values()}
    if len(shapes) > 1:
        raise SourceError(source, None, f"holds channels of different shapes: {', '.join(map(str, sorted(shapes)))}")
    for channel, volume in found.items():
        if volume.header.n_components > 1:
            raise SourceError(source, headers[channel], "declares several values a voxel: a channel has one")
    return found


def _experiment(source: Source) -> tuple[int, str]:
    """Id of the experiment, and what tells it. Raises SourceError where nothing does."""
    if told := source.setting("experiment"):
        if not told.isdigit():
            raise SourceError(source, "setting experiment", f"{told!r} is no id of an experiment")
        return int(told), "option"
    for name in (source.path.stem, source.path.parent.name):
        if len(found := _ID.findall(name)) == 1:
            return int(found[0]), "path"
    raise SourceError(source, None, "nothing tells which experiment it is of", "say it: --set experiment=100141219")


READER = ChannelReader()
