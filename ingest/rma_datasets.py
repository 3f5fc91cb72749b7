"""What can be fetched by name: canned data sets, and files by id.

A data set is one query or several, asked for in pages; files are addresses, or lie where an answer says. Names of files
are those of the reference's caches, as readers tell from them what a file is of.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..lake.errors import QueryError
from . import rma_endpoints as at
from . import rma_queries as q
from .rma_files import Wanted, name_of
from .rma_templates import template_query

Ids = Sequence[int]
CELL_MAPPING, NEUROPIXELS_PRODUCT = 590985414, 714914585  # in the warehouse: a file, a product


@dataclass(frozen=True)
class DataSet:
    """Records by name. ``ids``: whose they are, where some may be chosen; ``needs_ids``: where they must be."""

    name: str
    description: str
    queries: Callable[[Ids], Sequence[str]]
    ids: str | None = None
    needs_ids: bool = False


def _template(name: str, hole: str | None = None) -> Callable[[Ids], Sequence[str]]:
    return lambda ids: [template_query(name, **({hole: list(ids) or None} if hole else {}))]


def _templates(name: str, hole: str) -> Callable[[Ids], Sequence[str]]:
    """A query of each id, of what one query asks for one of."""
    return lambda ids: [template_query(name, **{hole: one}) for one in ids]


DATA_SETS: dict[str, DataSet] = {d.name: d for d in (
    DataSet("cells", "cells of the Cell Types Database, with their published features",
            lambda ids: [q.cells(i) for i in ids] or [q.cells(), q.ephys_features(), q.morphology_features()], "cells"),
    DataSet("sweeps", "sweeps of cells", lambda ids: [q.sweeps(i) for i in ids], "cells", True),
    DataSet("structures", "structures of an ontology with the sets they belong to; 1 is the adult mouse",
            lambda ids: [template_query("structures_with_sets", graph_ids=list(ids) or [1])], "structure graphs"),
    DataSet("structure_sets", "sets of structures", lambda ids: [
        template_query("structure_sets_by_id", set_ids=list(ids)) if ids else template_query("structure_sets_list")],
        "sets"),
    DataSet("atlases", "atlases, their ontologies and what is drawn in them",
            lambda ids: [template_query("atlases_table", atlas_ids=list(ids) or None, only=None)], "atlases"),
    DataSet("experiments", "experiments of the Mouse Connectivity Atlas",
            lambda ids: [q.connectivity_experiments()]),
    DataSet("unionizes", "sums of connectivity experiments over structures",
            lambda ids: [q.unionizes(i) for i in ids], "experiments", True),
    DataSet("containers", "experiment containers of the Brain Observatory, with what belongs to each",
            _template("experiment_container", "experiment_container_ids"), "containers"),
    DataSet("ophys_experiments", "2-photon experiments of the Brain Observatory, with their files",
            _template("ophys_experiment_by_ids", "ophys_experiment_ids"), "experiments"),
    DataSet("cell_metrics", "metrics of the Brain Observatory's cells",
            lambda ids: [template_query("cell_metric", cell_specimen_ids=list(ids) or None)], "cells"),
    DataSet("stimulus_mappings", "which metric belongs to which stimulus", _template("stimulus_mapping")),
    DataSet("sessions", "Neuropixels sessions, with their files", lambda ids: [q.ecephys_sessions(ids or None)], "sessions"),
    DataSet("probes", "Neuropixels probes, of sessions", lambda ids: [q.ecephys_probes(sessions=ids or None)], "sessions"),
    DataSet("channels", "channels of Neuropixels probes", lambda ids: [q.ecephys_channels(probes=ids or None)], "probes"),
    DataSet("units", "sorted units of Neuropixels sessions", lambda ids: [q.ecephys_units(sessions=ids or None)], "sessions"),
    DataSet("unit_metrics", "analysis metrics of units of Neuropixels sessions",
            lambda ids: [q.unit_analysis_metrics(sessions=ids or None)], "sessions"),
    DataSet("glif_models", "GLIF models, with their files", lambda ids: [q.glif_model(i) for i in ids] or [q.glif_models()],
            "models"),
    DataSet("biophysical_models", "biophysical models, with files and sweeps",
            lambda ids: [q.biophysical_model(i) for i in ids], "models", True),
    DataSet("genes", "genes of the mouse", lambda ids: [q.genes()]),
    DataSet("ish_data_sets", "image series of gene expression", lambda ids: [q.ish_data_sets(ids or None)], "genes"),
    DataSet("injections", "what was injected in connectivity experiments",
            lambda ids: [q.injection_summary(i) for i in ids], "experiments", True),
    DataSet("alignments", "alignments of image series to the reference space",
            lambda ids: [q.alignment3d(i) for i in ids], "image series", True),
)}  # fmt: skip


@dataclass(frozen=True)
class Where:
    """What files are asked for by beside ids. ``image``: parameters of images, as :func:`.rma_endpoints.image` has them."""

    api: str
    archive: str = at.ARCHIVE_URL
    um: int = 25
    version: str = at.CCF_VERSION
    image: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Files:
    """Files by name.

    wanted : their addresses, where these are known by the ids
    asked : else queries whose answers tell them, and how an answer's record does
    settings : what their reader is told; files that no reader knows are kept below ``raw/`` as they came
    """

    name: str
    description: str
    ids: str | None
    wanted: Callable[[Where, Ids], Sequence[Wanted]] | None = None
    asked: Callable[[Ids], Sequence[str]] | None = None
    told: Callable[[Where, Mapping[str, Any]], Iterator[Wanted]] | None = None
    settings: Callable[[Where], dict[str, str]] = field(default=lambda where: {})


def _grids(measure: str) -> Callable[[Where, Ids], Sequence[Wanted]]:
    return lambda w, ids: [
        Wanted(at.projection_grid(i, measure, w.um, w.api), f"experiment_{i}/{measure}_{w.um}.nrrd") for i in ids
    ]


def _files_of(w: Where, record: Mapping[str, Any]) -> Iterator[Wanted]:
    """The file that a WellKnownFile record tells of, under its name in the warehouse."""
    name = name_of(str(record.get("path") or record["id"]))
    yield Wanted(at.well_known_file(record["id"], w.api), f"file_{record['id']}/{name}")


def _owned(place: str) -> Callable[[Where, Mapping[str, Any]], Iterator[Wanted]]:
    """A file under the name that a cache has for its owner's: ``{owner}``, and ``{name}`` in the warehouse."""

    def told(w: Where, record: Mapping[str, Any]) -> Iterator[Wanted]:
        named = {"owner": record["attachable_id"], "name": name_of(str(record["path"]))}
        yield Wanted(at.well_known_file(record["id"], w.api), place.format(**named))

    return told


def _stimulus_templates(w: Where, record: Mapping[str, Any]) -> Iterator[Wanted]:
    """C-EC6, D-32: movies and scenes by their number, movies as arrays of NumPy under the name that the reference has."""
    for pattern, place in _TEMPLATES.items():
        if found := re.fullmatch(pattern, str(record["path"])):
            yield Wanted(at.well_known_file(record["id"], w.api), place.format(found[1]))


_TEMPLATES = {
    r".*natural_movie_(\d+)\.npy": "natural_movie_templates/natural_movie_{}.h5",
    r".*/(\d+)\.tiff": "natural_scene_templates/natural_scene_{}.tiff",
}


def _deformation_fields(w: Where, record: Mapping[str, Any]) -> Iterator[Wanted]:
    """Q12: the header of an experiment's field and its voxels, side by side."""
    experiment, path = record["attachable_id"], str(record["path"])
    yield Wanted(
        at.well_known_file(record["id"], w.api),
        f"experiment_{experiment}/{name_of(path)}",
        group=f"{w.api} deformation field of {experiment}",
        number=int(path.endswith(".raw")),
    )


def _recordings(w: Where, record: Mapping[str, Any]) -> Iterator[Wanted]:
    """C-CT4, Q08: the first file of the cell's recording."""
    files = (record.get("ephys_result") or {}).get("well_known_files") or []
    if not files:
        raise QueryError(f"Specimen {record.get('id')} has no ephys data")
    yield Wanted(w.api + files[0]["download_link"], f"specimen_{record['id']}/ephys.nwb")


def _nested(suffix: str, kind: str) -> Callable[[Where, Mapping[str, Any]], Iterator[Wanted]]:
    def told(w: Where, record: Mapping[str, Any]) -> Iterator[Wanted]:
        """Q09: the first file of its kind of the cell's first reconstruction."""
        files = [f for r in record.get("neuron_reconstructions") or [] for f in r.get("well_known_files") or []]
        found = [f for f in files if (f.get("well_known_file_type") or {}).get("name", kind) == kind]
        if not found:
            what = "reconstruction" if suffix == "swc" else "markers"
            raise QueryError(f"Specimen {record.get('id')} has no {what}")
        yield Wanted(w.api + found[0]["download_link"], f"specimen_{record['id']}/reconstruction.{suffix}")

    return told


def _glif_configs(w: Where, record: Mapping[str, Any]) -> Iterator[Wanted]:
    """C-GLF: the first file of the model."""
    found = record.get("well_known_files") or []
    if not found:
        raise QueryError(f"NeuronalModel {record.get('id')} has no files")
    yield Wanted(w.api + found[0]["download_link"], f"neuronal_model_{record['id']}/neuron_config.json")


def _biophysical_files(w: Where, record: Mapping[str, Any]) -> Iterator[Wanted]:
    """C-BIO: what a download of the model lays side by side; its manifest is made of the lake's records."""
    specimen = record.get("specimen") or {}
    result = specimen.get("ephys_result") or {}
    reconstructions = specimen.get("neuron_reconstructions") or []
    template = record.get("neuronal_model_template") or {}
    owners = [(record, "NeuronalModelParameters", "{name}"), (result, "NWBDownload", f"{result.get('id')}.nwb"),
              (template, "BiophysicalModelDescription", "modfiles/{name}")]  # fmt: skip
    owners += [
        (one, kind, "{name}") for one in reconstructions for kind in ("3DNeuronReconstruction", "3DNeuronMarker")
    ]
    found = [
        Wanted(
            w.api + file["download_link"], f"neuronal_model_{record['id']}/{place.format(name=name_of(file['path']))}"
        )
        for owner, kind, place in owners
        for file in owner.get("well_known_files") or []
        if (file.get("well_known_file_type") or {}).get("name") == kind
    ]
    if not found:
        raise QueryError(f"NeuronalModel {record.get('id')} has no files")
    yield from found


FILES: dict[str, Files] = {f.name: f for f in (
    Files("file", "well-known files by id", "files",
          asked=lambda ids: [f"model::WellKnownFile,rma::criteria,[id$in{','.join(map(str, ids))}]"], told=_files_of),
    Files("recordings", "recordings of cells (NWB)", "cells",
          asked=lambda ids: [q.recording_file(i) for i in ids], told=_recordings),
    Files("reconstructions", "reconstructions of cells (SWC)", "cells",
          asked=lambda ids: [q.reconstruction_file(i) for i in ids], told=_nested("swc", "3DNeuronReconstruction")),
    Files("glif_configs", "configurations of GLIF models (JSON)", "models",
          asked=lambda ids: [template_query("neuron_config", neuronal_model_ids=list(ids))], told=_glif_configs),
    Files("biophysical_files", "what biophysical models need to run: fit, reconstruction, mechanisms, recording", "models",
          asked=lambda ids: [q.biophysical_model(i) for i in ids], told=_biophysical_files),
    Files("markers", "markers of reconstructions", "cells",
          asked=lambda ids: [q.reconstruction_file(i, "3DNeuronMarker") for i in ids], told=_nested("marker", "3DNeuronMarker")),
    *(Files(measure, f"{measure.replace('_', ' ')} of connectivity experiments (NRRD)", "experiments", _grids(measure))
      for measure in ("projection_density", "injection_density", "injection_fraction", "data_mask")),
    Files("expression", "expression energy, density and intensity of image series (ZIP)", "image series",
          lambda w, ids: [Wanted(at.expression_grid(i, at.EXPRESSION_VOLUMES, w.api), f"{i}.zip") for i in ids]),
    Files("template", "the average template (NRRD)", None,
          lambda w, ids: [Wanted(at.template_volume(w.um, w.archive), f"average_template_{w.um}.nrrd")]),
    Files("annotation", "the annotation of the reference space (NRRD)", None,
          lambda w, ids: [Wanted(at.annotation_volume(w.um, w.version, w.archive),
                                 f"annotation/{w.version}/annotation_{w.um}.nrrd")],
          settings=lambda w: {"version": w.version}),
    Files("masks", "voxels of structures (NRRD)", "structures",
          lambda w, ids: [Wanted(at.structure_mask(i, w.um, w.version, w.archive),
                                 f"annotation/{w.version}/structure_masks/resolution_{w.um}/structure_{i}.nrrd") for i in ids],
          settings=lambda w: {"version": w.version}),
    Files("meshes", "surfaces of structures (OBJ)", "structures",
          lambda w, ids: [Wanted(at.structure_mesh(i, w.version, w.archive), f"annotation/{w.version}/structure_meshes/structure_{i}.obj")
                          for i in ids]),
    Files("section_images", "images of sections (JPEG)", "images",
          lambda w, ids: [Wanted(at.image(i, "section", w.api, **w.image), f"{i}.jpg") for i in ids]),
    Files("atlas_images", "images of atlases (JPEG)", "images",
          lambda w, ids: [Wanted(at.image(i, "atlas", w.api, **w.image), f"{i}.jpg") for i in ids]),
    Files("projection_images", "images of projections (JPEG)", "images",
          lambda w, ids: [Wanted(at.image(i, "projection", w.api, **w.image), f"{i}.jpg") for i in ids]),
    Files("deformation_fields", "deformation fields of connectivity experiments (MetaImage)", "experiments",
          asked=lambda ids: [q.deformation_field_files(i) for i in ids], told=_deformation_fields),
    Files("channels_on_reference", "red, green and blue of connectivity experiments, laid onto the reference space (ZIP)",
          "experiments", asked=lambda ids: [q.aligned_channels_file(i) for i in ids], told=_owned("experiment_{owner}/{owner}.zip")),
    Files("ophys_recordings", "recordings of the Brain Observatory (NWB)", "experiments",
          asked=_templates("ophys_experiment_data", "ophys_experiment_id"), told=_owned("ophys_experiment_data/{owner}.nwb")),
    Files("ophys_analyses", "published analyses of the Brain Observatory (HDF5)", "experiments",
          asked=_templates("ophys_analysis_file", "ophys_experiment_id"), told=_owned("ophys_experiment_analysis/{name}")),
    Files("ophys_events", "events of cells of the Brain Observatory (NPZ)", "experiments",
          asked=_templates("ophys_events_file", "ophys_experiment_id"),
          told=_owned("ophys_experiment_events/{owner}_events.npz")),
    Files("eye_gaze", "where animals of the Brain Observatory looked (HDF5)", "ophys sessions",
          asked=_templates("eye_gaze_mapping_file", "ophys_session_id"),
          told=_owned("ophys_eye_gaze_mapping/{owner}_eyetracking_dlc_to_screen_mapping.h5")),
    Files("cell_mapping", "new ids of the Brain Observatory's cells by their old ones (CSV)", None,
          asked=lambda ids: [template_query("cell_specimen_id_mapping_table", mapping_table_id=CELL_MAPPING)],
          told=_owned("cell_mapping_table.csv")),
    Files("session_recordings", "recordings of Neuropixels sessions (NWB)", "sessions",
          asked=lambda ids: [q.ecephys_file(i) for i in ids], told=_owned("session_{owner}/session_{owner}.nwb")),
    Files("lfp_recordings", "local field potentials of Neuropixels probes (NWB)", "probes",
          asked=lambda ids: [q.ecephys_file(i, "EcephysLfpNwb", "EcephysProbe") for i in ids],
          told=_owned("probe_{owner}_lfp.nwb")),
    Files("stimulus_templates", "movies and scenes that Neuropixels sessions were shown (NumPy, TIFF)", None,
          asked=lambda ids: [q.ecephys_file(NEUROPIXELS_PRODUCT, "Stimulus", "Product")], told=_stimulus_templates),
    Files("model_packages", "packages of models: configuration or fit, sweeps, what the warehouse says of them (ZIP)", "models",
          lambda w, ids: [Wanted(at.model_package(i, w.api), f"neuronal_model_{i}.zip") for i in ids]),
    Files("nissl", "the Nissl volume (NRRD)", None,
          lambda w, ids: [Wanted(at.nissl_volume(w.um, w.archive), f"ara_nissl_{w.um}.nrrd")]),
    Files("svg", "outlines drawn on images (SVG)", "images",
          lambda w, ids: [Wanted(at.svg(i, api=w.api), f"{i}.svg") for i in ids]),
)}  # fmt: skip


def files_told(files: Files, where: Where, answer: Path) -> list[Wanted]:
    """The files that the records of an answer tell of. Raises QueryError where one has none."""
    assert files.told is not None
    found = []
    for record in json.loads(answer.read_bytes())["msg"]:
        try:
            found += list(files.told(where, record))
        except (KeyError, TypeError, AttributeError):
            raise QueryError(f"{answer.name}: a record tells no file that can be fetched") from None
    return found
