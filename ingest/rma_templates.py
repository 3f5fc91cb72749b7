"""Canned queries of the reference that are templates: a model, pieces of text with holes, and options (spec: api 2.5).

A ``{hole}`` is filled with what the query is told; what stands in ``<...>`` falls away where it is told nothing.
Every template asks for all rows and no count unless it says otherwise (C-TPL).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..lake.errors import QueryError
from .rma_text import Options, model_stage, quote_string

_HOLE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True)
class Template:
    """A canned query.

    criteria, include : text with ``{holes}``; what stands in ``<...>`` falls away where a hole of it is not filled
    """

    name: str
    model: str
    criteria: str = ""
    include: str = ""
    only: tuple[str, ...] = ()
    order: str | None = None
    num_rows: Any = "all"
    page: int | None = None  # rows a page, of queries that come in pages

    @property
    def holes(self) -> tuple[str, ...]:
        """What it can be told."""
        return tuple(dict.fromkeys(_HOLE.findall(self.criteria + self.include)))


_BO_INCLUDE = "ophys_experiments,isi_experiment,specimen(donor(conditions,age,transgenic_lines)),targeted_structure"
_IN_GRAPH = "structures.graph_order"
_ATLAS_INCLUDE = "structure_graph(ontology),graphic_group_labels"
_ATLAS_ONLY = (
    "atlases.id", "atlases.name", "atlases.image_type", "ontologies.id", "ontologies.name", "structure_graphs.id",
    "structure_graphs.name", "graphic_group_labels.id", "graphic_group_labels.name",
)  # fmt: skip
_FILE = "[attachable_id$eq{ophys_experiment_id}],well_known_file_type[name$eq%s]"
_EYE = "well_known_file_type[name$eqEyeDlcScreenMapping]"

GROUPS: dict[str, tuple[Template, ...]] = {
    "model_queries": (
        Template("models_by_specimen", "NeuronalModel",
                 "[neuronal_model_template_id$in{biophysical_model_types}],[specimen_id$in{specimen_ids}]"),
    ),
    "brain_observatory_queries": (
        Template("list_isi_experiments", "IsiExperiment"),
        Template("isi_experiment_by_ids", "IsiExperiment", "[id$in{isi_experiment_ids}]",
                 "experiment_container(ophys_experiments,targeted_structure)"),
        Template("ophys_experiment_by_ids", "OphysExperiment", "<[id$in{ophys_experiment_ids}]>",
                 "experiment_container,well_known_files(well_known_file_type),targeted_structure,"
                 "specimen(donor(age,transgenic_lines))"),
        Template("ophys_experiment_data", "WellKnownFile", _FILE % "NWBOphys"),
        Template("ophys_analysis_file", "WellKnownFile", _FILE % "OphysExperimentCellRoiMetricsFile"),
        Template("ophys_events_file", "WellKnownFile", _FILE % "ObservatoryEventsFile"),
        Template("column_definitions", "ApiColumnDefinition", "[api_class_name$eq{api_class_name}]"),
        Template("column_definition_class_names", "ApiColumnDefinition", only=("api_class_name",)),
        Template("stimulus_mapping", "ApiCamStimulusMapping", "<[id$in{stimulus_mapping_ids}]>"),
        Template("experiment_container", "ExperimentContainer", "<[id$in{experiment_container_ids}]>", _BO_INCLUDE),
        Template("experiment_container_metric", "ApiCamExperimentContainerMetric",
                 "<[id$in{experiment_container_metric_ids}]>"),
        Template("cell_metric", "ApiCamCellMetric", "<[cell_specimen_id$in{cell_specimen_ids}]>",
                 order="'cell_specimen_id'", num_rows=None, page=2_000),
        Template("cell_specimen_id_mapping_table", "WellKnownFile",
                 "[id$eq{mapping_table_id}],well_known_file_type[name$eqOphysCellSpecimenIdMapping]"),
        Template("eye_gaze_mapping_file", "WellKnownFile", "[attachable_id$eq{ophys_session_id}]," + _EYE),
        Template("all_eye_mapping_files", "WellKnownFile", _EYE),
    ),
    "glif_queries": (
        Template("neuronal_model_templates", "NeuronalModelTemplate"),
        Template("neuronal_models", "Specimen", "<[id$in{ephys_experiment_ids}]>",
                 "neuronal_models(well_known_files,neuronal_model_template"
                 "[id$in395310498,395310469,395310475,395310479,471355161],neuronal_model_runs(well_known_files))"),
        Template("neuron_config", "NeuronalModel", "[id$in{neuronal_model_ids}]",
                 "well_known_files(well_known_file_type)"),
    ),
    "image_queries": (
        Template("section_image_ranges", "Equalization", "section_data_set(section_images[id$in{section_image_ids}])",
                 only=("blue_lower", "blue_upper", "red_lower", "red_upper", "green_lower", "green_upper")),
        Template("section_images_by_data_set_id", "SectionImage", "[data_set_id$eq{data_set_id}]"),
        Template("section_data_sets_by_product_id", "SectionDataSet",
                 "[failed$in{failed}],products[id$in{product_ids}]"),
    ),
    "ontology_queries": (
        Template("structures_by_graph_ids", "Structure", "[graph_id$in{graph_ids}]", order=_IN_GRAPH),
        Template("structures_by_graph_names", "Structure", "graph[structure_graphs.name$in{graph_names}]",
                 order=_IN_GRAPH),
        Template("structures_by_set_ids", "Structure", "[structure_set_id$in{set_ids}]", order=_IN_GRAPH),
        Template("structures_by_set_names", "Structure", "structure_sets[name$in{set_names}]", order=_IN_GRAPH),
        Template("structure_graphs_list", "StructureGraph"),
        Template("structure_sets_list", "StructureSet"),
        Template("atlases_list", "Atlas"),
        Template("atlases_table", "Atlas", "<[id$in{atlas_ids}],>" + _ATLAS_INCLUDE, _ATLAS_INCLUDE, only=_ATLAS_ONLY),
        Template("structures_with_sets", "Structure", "[graph_id$in{graph_ids}]", "structure_sets", order=_IN_GRAPH),
        Template("structure_sets_by_id", "StructureSet", "[id$in{set_ids}]"),
    ),
}  # fmt: skip


def find(name: str) -> Template:
    """A template by ``group.name``, or by its name alone. Raises QueryError where there is none."""
    group, dot, last = name.rpartition(".")
    if dot and group not in GROUPS:
        raise QueryError(f"there is no group of queries {group!r}: there are {', '.join(GROUPS)}")
    among = GROUPS[group] if dot else [t for templates in GROUPS.values() for t in templates]
    found = next((template for template in among if template.name == last), None)
    if found is None:
        raise QueryError(f"Entry {last} not found. There are {', '.join(t.name for t in among)}")
    return found


def template_query(template: Template | str, **told: Any) -> str:
    """C-TPL: the text of a template's query.

    told : what fills its holes, a list or one value; and options (``only``, ``except``, ``num_rows`` ...) that then
        stand for the template's own; ``only=None`` takes the template's ``only`` away. What is None fills no hole.
    """
    if isinstance(template, str):
        template = find(template)
    filled = {hole: _filling(told.pop(hole, None)) for hole in template.holes}
    options = Options(
        only=_quoted(told.pop("only", template.only)),
        except_=_quoted(told.pop("except", None)),
        tabular=told.pop("tabular", None),
        num_rows=told.pop("num_rows", template.num_rows),
        start_row=told.pop("start_row", None),
        order=told.pop("order", template.order),
        debug=told.pop("debug", None),
        count=told.pop("count", False),
    )
    if told:
        takes = f"it takes {', '.join(template.holes)}" if template.holes else "it takes options alone"
        raise QueryError(f"query {template.name} knows no {', '.join(told)}: {takes}")
    criteria, include = rendered(template.criteria, filled), rendered(template.include, filled)
    return model_stage(template.model, criteria or None, include or None, options)


def rendered(text: str, filled: Mapping[str, str | None]) -> str:
    """A text with its holes filled: nothing where there is nothing to fill one with; ``<...>`` then falls away."""

    def part(match: re.Match[str]) -> str:
        return match[1] if all(filled.get(hole) is not None for hole in _HOLE.findall(match[1])) else ""

    return _HOLE.sub(lambda hole: filled.get(hole[1]) or "", re.sub(r"<([^<>]*)>", part, text))


def _filling(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Iterable):
        return ",".join(_one(item) for item in value)
    return _one(value)


def _one(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool | np.bool_) else str(value)


def _quoted(names: Any) -> str | None:
    if not names:
        return None
    return quote_string(names if isinstance(names, str) else ",".join(names))
