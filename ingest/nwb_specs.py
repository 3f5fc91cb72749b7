"""Which NWB type extends which: from the specifications cached in a file, on those of the core.

pynwb would say the same, at the price of a second of imports and of files it refuses; all that is needed here is
each type's parent.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..lake.errors import SourceError

if TYPE_CHECKING:
    from .hdf5 import Hdf5File

SPECIFICATIONS = "/specifications"
_MAX_TEXT = 16 << 20  # bytes of one cached specification; the core's longest is 200 kB

# The core of NWB 2.11 and hdmf-common 1.9, for files without cached specifications: parent -> those that extend it.
_CORE = {
    "Container": "CSRMatrix DynamicTable HERD NWBContainer SimpleMultiContainer",
    "Data": "ElementIdentifiers NWBData VectorData",
    "VectorData": "DurationVectorData DynamicTableRegion EnumData TimeSeriesReferenceVectorData TimestampVectorData "
    "VectorIndex",
    "DynamicTable": "AlignedDynamicTable ElectrodesTable EventsTable ExperimentalConditionsTable FrequencyBandsTable "
    "IntracellularElectrodesTable IntracellularResponsesTable IntracellularStimuliTable MeaningsTable "
    "PlaneSegmentation RepetitionsTable SequentialRecordingsTable SimultaneousRecordingsTable SweepTable "
    "TimeIntervals Units",
    "AlignedDynamicTable": "IntracellularRecordingsTable",
    "NWBData": "BaseImage ImageReferences ScratchData",
    "BaseImage": "ExternalImage Image",
    "Image": "GrayscaleImage RGBAImage RGBImage",
    "NWBContainer": "Device DeviceModel ElectrodeGroup ImagingPlane IntracellularElectrode LabMetaData "
    "NWBDataInterface NWBFile OpticalChannel OptogeneticStimulusSite ProcessingModule Subject",
    "NWBDataInterface": "BehavioralEpochs BehavioralEvents BehavioralTimeSeries ClusterWaveforms Clustering "
    "CompassDirection CorrectedImageStack DfOverF EventDetection EventWaveform EyeTracking FeatureExtraction "
    "FilteredEphys Fluorescence ImageSegmentation Images ImagingRetinotopy LFP MotionCorrection Position "
    "PupilTracking TimeSeries",
    "TimeSeries": "AbstractFeatureSeries AnnotationSeries DecompositionSeries ElectricalSeries ImageSeries IndexSeries "
    "IntervalSeries OptogeneticSeries PatchClampSeries RoiResponseSeries SpatialSeries",
    "ImageSeries": "ImageMaskSeries OnePhotonSeries OpticalSeries TwoPhotonSeries",
    "ElectricalSeries": "SpikeEventSeries",
    "PatchClampSeries": "CurrentClampSeries CurrentClampStimulusSeries VoltageClampSeries VoltageClampStimulusSeries",
    "CurrentClampSeries": "IZeroClampSeries",
}
CORE: Mapping[str, str] = {kind: parent for parent, kinds in _CORE.items() for kind in kinds.split()}


@dataclass(frozen=True)
class Types:
    """Types and their parents.

    parents : type -> the type it extends
    versions : namespace -> version, as cached in the file
    """

    parents: Mapping[str, str]
    versions: Mapping[str, str]

    @classmethod
    def of(cls, file: Hdf5File) -> Types:
        """From a file's cached specifications. An unreadable one is passed over: the core still stands."""
        parents, versions = dict(CORE), {}
        for namespace in file.children(SPECIFICATIONS):
            for version in file.children(f"{SPECIFICATIONS}/{namespace}"):
                versions[namespace] = version
                for name in file.children(f"{SPECIFICATIONS}/{namespace}/{version}"):
                    specification = _loaded(file, f"{SPECIFICATIONS}/{namespace}/{version}/{name}")
                    parents.update(_definitions(specification))
        return cls(parents, versions)

    def lineage(self, kind: str) -> tuple[str, ...]:
        """A type and those it extends, itself first."""
        found = [kind]
        while (parent := self.parents.get(found[-1])) and parent not in found:
            found.append(parent)
        return tuple(found)


def _loaded(file: Hdf5File, path: str) -> Any:
    try:
        dataset = file.dataset(path)
        if dataset.size != 1 or dataset.stored_bytes > _MAX_TEXT:
            return None
        return json.loads(file.scalar(path))
    except (SourceError, ValueError, TypeError, RecursionError):
        return None


def _definitions(specification: Any) -> Iterator[tuple[str, str]]:
    """(type, parent) of every definition in a specification, however deep it is nested."""
    waiting = [specification]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += node
        elif isinstance(node, dict):
            kind = node.get("neurodata_type_def", node.get("data_type_def"))
            parent = node.get("neurodata_type_inc", node.get("data_type_inc"))
            if isinstance(kind, str) and isinstance(parent, str):
                yield kind, parent
            waiting += node.values()
