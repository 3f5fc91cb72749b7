"""Which reader takes which source: decided by looking into it. Readers are imported when first needed."""

from __future__ import annotations

import importlib
from functools import cache

from ..lake.errors import BrainlakeError, ForeignError, SourceError
from . import cache_manifests
from .contract import Reader, Source

# name -> module that holds it as READER; adding a reader is adding a line
READERS = {
    "nwb": "nwb",
    "nwb1_ecephys": "nwb1_ecephys",
    "nwb1_icephys": "nwb1_icephys",
    "ecephys_csv": "ecephys_csv",
    "ecephys_patches": "ecephys_patches",
    "ecephys_records": "ecephys_records",
    "cell_types_csv": "cell_types_csv",
    "cell_types_json": "cell_types_json",
    "swc": "swc",
    "swc_markers": "swc_markers",
    "glif_config": "models_glif",
    "glif_archive": "models_teeter",
    "model_records": "models_records",
    "model_description": "models_descriptions",
    "nmodl": "models_mechanisms",
    "ccf_structures": "ccf_structures",
    "ccf_records": "ccf_records",
    "ccf_volumes": "ccf_volumes",
    "ccf_meshes": "ccf_meshes",
    "rma_records": "rma_records",
    "rma_journal": "rma_journal",
    "rma_schema": "rma_schema",
    "rma_svg": "rma_svg",
    "ophys_events": "ophys_events",
    "ophys_csv": "ophys_csv",
    "ophys_lists": "ophys_lists",
    "eye_gaze": "eye_gaze",
    "ish_records": "ish_records",
    "ish_grids": "ish_grids",
    "pipeline_documents": "pipeline_documents",
    "connectivity_json": "connectivity_json",
    "connectivity_csv": "connectivity_csv",
    "connectivity_grids": "connectivity_grids",
    "connectivity_channels": "connectivity_channels",
    "connectivity_matrices": "connectivity_matrices",
}

# a setting that tells whose records a file holds -> the reader that goes by it where the content tells no reader
TELLING = {"model": "rma_records"}

# what a folder is searched for; a file named itself may be called anything
SUFFIXES = frozenset({
    ".nwb", ".csv", ".json", ".swc", ".marker", ".mod", ".gz", ".nrrd", ".nhdr", ".mhd", ".mha", ".nii", ".obj", ".zip", ".xml", ".xlsx", ".hdf5", ".h5", ".npz", ".svg", ".txt",
})  # fmt: skip
_NOTES = frozenset({".txt"})  # what people leave beside data, too: an empty one is no damage
_HDF5 = frozenset({".nwb", ".h5", ".hdf5"})
_ZIP, _ZIPPED = b"PK\x03\x04", frozenset({".zip", ".xlsx", ".npz"})
_NPY = b"\x93NUMPY"  # movies of the Neuropixels project lie in caches under a name of HDF5 (D-32)


def names() -> list[str]:
    """Names that ``--as`` takes."""
    return list(READERS)


@cache
def get(name: str) -> Reader:
    """A reader by its name. Raises BrainlakeError for an unknown one."""
    if name not in READERS:
        raise BrainlakeError(f"there is no reader {name!r}: there are {', '.join(READERS)}")
    module = importlib.import_module(f"{__package__}.{READERS[name]}")
    reader: Reader = module.READER
    return reader


def choose(source: Source, as_reader: str | None = None) -> Reader:
    """The one reader that claims a source, or the one asked for.

    Raises SourceError where several claim it, ForeignError where none does.
    """
    if as_reader is not None:
        return get(as_reader)
    claims = [get(name) for name in READERS if get(name).sniff(source)]
    if len(claims) == 1:
        return claims[0]
    if claims:
        several = ", ".join(reader.name for reader in claims)
        raise SourceError(source, None, f"several readers take it: {several}", "say which with --as")
    _refuse_damaged(source)
    if source.named:
        for setting, name in TELLING.items():
            if source.setting(setting) is not None:
                return get(name)
    if manifest := cache_manifests.read(source.path):
        what = (
            f"is the manifest of a {manifest.cache} cache of the Allen SDK: the files it names are read by themselves"
        )
        raise ForeignError(source, None, what)
    ways = "--as NAME says why one does not take it; --set model=NAME tells whose records of the API it holds"
    raise ForeignError(source, None, "no reader knows what it holds", f"readers: {', '.join(READERS)}; {ways}")


def _refuse_damaged(source: Source) -> None:
    """Raise SourceError where a file is not what its name or its first bytes promise: readers only say no to it."""
    from .hdf5 import Hdf5File
    from .hdf5_guard import SIGNATURE
    from .volume_zip import members

    try:
        with source.path.open("rb") as file:
            head = file.read(len(SIGNATURE))
    except OSError as error:
        raise SourceError(source, None, f"cannot be opened: {error.strerror}") from None
    suffix = source.path.suffix.lower()
    if not head and (source.named or suffix not in _NOTES):
        raise SourceError(source, None, "is empty")
    if head == SIGNATURE or (suffix in _HDF5 and not head.startswith(_NPY)):
        Hdf5File.open(source).close()
    if head.startswith(_ZIP) or suffix in _ZIPPED:
        members(source)
