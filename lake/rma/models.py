"""Which relations of the lake tell of which model of the API, and how its models hang together (spec: api 2.8).

A model is told by one or several queries over the lake. Where several know a record, each of its attributes is as the
first says that knows it. Associations follow the convention of the API's names; what departs from it is listed here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from types import MappingProxyType
from typing import Any

import sqlglot
from sqlglot import exp

from ..errors import QueryError
from ..questions import standard
from ..tables.rma import MODELS as ANSWERED
from ..tables.rma import Model as AnsweredModel
from . import tellers

Sql = Any  # a node of sqlglot's tree, whose base class has another name in each of its versions


@dataclass(frozen=True)
class One:
    """``this.key = target.id``: at most one partner."""

    model: str
    key: str


@dataclass(frozen=True)
class Many:
    """``target.key = this.id``. ``single``: the API nests it as an object, not as a list."""

    model: str
    key: str
    single: bool = False


@dataclass(frozen=True)
class Attached:
    """Files whose ``attachable_type`` is one of these classes and whose ``attachable_id`` is ``this.id``."""

    classes: tuple[str, ...]
    model: str = "WellKnownFile"


@dataclass(frozen=True)
class Through:
    """Partners by a query of pairs ``owner``, ``member``: ``owner = this.id and member = target.id``.

    is_listed : pairs have a ``place``, by which they are nested where nobody says how
    """

    model: str
    pairs: str
    is_listed: bool = False


Association = One | Many | Attached | Through


@dataclass(frozen=True)
class Model:
    """A model that the lake answers for.

    table : the API's name of its table, which qualifies columns in queries
    told_by : queries whose columns are the model's attributes, the most trusted first
    types : of records in a table that several classes share; None for all of them
    memberships : column that stands for being associated -> the association and the column of its target
    """

    name: str
    table: str
    told_by: tuple[str, ...]
    associations: Mapping[str, Association] = field(default_factory=dict)
    types: tuple[str, ...] | None = None
    memberships: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Its attributes, and ``extra`` where the lake keeps others."""
        named = (name for query in self._told.values() for name in query.named_selects)
        return tuple(dict.fromkeys(named))

    @cached_property
    def _told(self) -> Mapping[str, Any]:
        """The queries, as sqlglot's trees."""
        return {query: sqlglot.parse_one(query, read="duckdb") for query in self.told_by}

    @property
    def keys(self) -> tuple[str, ...]:
        """What tells its records apart, and puts them in an order."""
        declared = ANSWERED.get(self.name)
        return tellers.KEYS.get(self.name, (declared.key if declared else "id",))

    def known_to(self, told_by: Sequence[str]) -> frozenset[str]:
        """Columns that some of these queries have."""
        return frozenset(name for query in told_by for name in self._told[query].named_selects)

    def merged(self, told_by: Sequence[str], types: Mapping[str, str] | None = None) -> str:
        """Its records, a row each, as these of its queries tell them.

        types : of all columns, where some may be known to no query, and are NULL then
        """
        told = {f"t{i}": self._told[query] for i, query in enumerate(told_by)}
        if len(told) == 1 and self.known_to(told_by) == frozenset(self.columns):
            return told["t0"].sql("duckdb")
        merged = exp.select(*(self._merged(name, told, types or {}) for name in self.columns))
        for i, (alias, query) in enumerate(told.items()):
            if i == 0:
                merged = merged.from_(query.subquery(alias))
                continue
            before = _first_known(exp.column(self.keys[0], f"t{k}") for k in range(i))
            merged = merged.join(query.subquery(alias), on=before.eq(exp.column(self.keys[0], alias)), join_type="full")
        return merged.sql("duckdb")

    @staticmethod
    def _merged(name: str, told: Mapping[str, Any], types: Mapping[str, str]) -> Sql:
        known = [exp.column(name, alias) for alias, query in told.items() if name in query.named_selects]
        return exp.alias_(_first_known(known) if known else exp.cast(exp.null(), types[name], dialect="duckdb"), name)

    def association(self, name: str) -> Association:
        """Raises QueryError naming those there are."""
        if name not in self.associations:
            raise QueryError(
                f"{self.name} has no association {name[:60]!r}: it has {', '.join(sorted(self.associations)) or 'none'}"
            )
        return self.associations[name]


def _first_known(columns: Iterable[Sql]) -> Sql:
    first, *others = columns
    return exp.func("coalesce", first, *others) if others else first


def model(name: str) -> Model:
    """The model of a name. Raises QueryError where the lake answers for none such."""
    if name not in models():
        raise QueryError(f"there is no model {name[:60]!r}: there are {', '.join(models())}")
    return models()[name]


@cache
def models() -> Mapping[str, Model]:
    """Every model the lake answers for, by name."""
    found: dict[str, Model] = {}
    for declared in ANSWERED.values():
        classes = (declared.name, *declared.subclasses)
        for name in classes:
            found[name] = Model(
                name,
                declared.table,
                (*tellers.DOMAINS.get(declared.name, ()), _answered(declared)),
                _conventional(declared, classes) | _more(declared.name, name),
                (name,) if name != declared.name else None,
                _MEMBERSHIPS.get(name, {}),
            )
    for name, table in tellers.OWN_TABLES.items():
        found[name] = Model(name, table, tellers.DOMAINS[name], _more(name))
    known = {name: {a: to for a, to in one.associations.items() if to.model in found} for name, one in found.items()}
    return MappingProxyType({
        name: Model(name, one.table, one.told_by, known[name], one.types, one.memberships)
        for name, one in sorted(found.items())
    })  # fmt: skip


def _answered(declared: AnsweredModel) -> str:
    """Its records among the answers that were fetched: from the view over them, where there is one."""
    names = (declared.key, *declared.attributes, "extra")
    if f"rma.{declared.table}" in standard() and declared.name not in tellers.DOMAIN_VIEWS:
        return f"select {', '.join(names)} from rma.{declared.table}"
    told = ", ".join(f"arg_max({name}, ingest_id) as {name}" for name in names[1:])
    return f"select {declared.key}, {told} from {declared.spec.name} group by {declared.key}"


def _conventional(declared: AnsweredModel, classes: tuple[str, ...]) -> dict[str, Association]:
    """Associations by the rules of the API's names (spec: api 2.8.2)."""
    found: dict[str, Association] = {}
    for name, target in declared.nested.items():
        back = f"{snake(declared.name)}_id"
        if name == "well_known_files":
            found[name] = Attached(classes)
        elif f"{name}_id" in declared.attributes:
            found[name] = One(target, f"{name}_id")
        elif target in ANSWERED and back in ANSWERED[target].attributes:
            found[name] = Many(target, back, single=not name.endswith("s"))
        else:
            found[name] = Through(target, _nested(classes, name), is_listed=True)
    return found


def _nested(owners: tuple[str, ...], association: str) -> str:
    """Pairs that some answer nested; names are of the declarations above, never of a query."""
    classes = ", ".join(f"'{owner}'" for owner in owners)
    return (
        "select owner_id as owner, member_id as member, min(member_index) as place from rma.links "
        f"where owner_model in ({classes}) and association = '{association}' group by owner_id, member_id"
    )


def snake(name: str) -> str:
    """``WellKnownFile`` as ``well_known_file``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _more(*names: str) -> dict[str, Association]:
    return {association: to for name in names for association, to in _OVERRIDES.get(name, {}).items()}


_SETS = f"select m.structure_id as owner, m.structure_set_id as member from ({tellers.SET_MEMBERS}) as m"
_MEMBERS = f"select m.structure_set_id as owner, m.structure_id as member from ({tellers.SET_MEMBERS}) as m"
_ANCESTORS = "select structure_id as owner, unnest(structure_id_path) as member from ccf.structures"
_DESCENDANTS = "select unnest(structure_id_path) as owner, structure_id as member from ccf.structures"
_OF_CELL = {"specimen": One("Specimen", "specimen_id")}
_DATA_SET_STRUCTURE = {
    "section_data_set": One("SectionDataSet", "section_data_set_id"),
    "structure": One("Structure", "structure_id"),
}

# What the convention does not give: spec api 2.8.1 and 2.8.2.
_OVERRIDES: Mapping[str, Mapping[str, Association]] = {
    "Structure": {
        "graph": One("StructureGraph", "graph_id"),
        "structure_graph": One("StructureGraph", "graph_id"),
        "parent": One("Structure", "parent_structure_id"),
        "parent_structure": One("Structure", "parent_structure_id"),
        "children": Many("Structure", "parent_structure_id"),
        "child_structures": Many("Structure", "parent_structure_id"),
        "self_and_ancestors": Through("Structure", _ANCESTORS),
        "self_and_descendants": Through("Structure", _DESCENDANTS),
        "ancestor_hierarchies": Many("StructureHierarchy", "descendant_id"),
        "descendant_hierarchies": Many("StructureHierarchy", "ancestor_id"),
        "structure_sets": Through("StructureSet", _SETS),
        "structure_sets_structures": Many("StructureSetsStructure", "structure_id"),
        "projection_structure_unionizes": Many("ProjectionStructureUnionize", "structure_id"),
        "structure_unionizes": Many("StructureUnionize", "structure_id"),
        "specimens": Many("Specimen", "structure_id"),
        "structure_centers": Many("StructureCenter", "structure_id"),
        "manual_annotations": Many("ManualAnnotation", "structure_id"),
    },
    "StructureHierarchy": {
        "ancestor": One("Structure", "ancestor_id"),
        "descendant": One("Structure", "descendant_id"),
    },
    "StructureSet": {
        "structures": Through("Structure", _MEMBERS),
        "structure_sets_structures": Many("StructureSetsStructure", "structure_set_id"),
    },
    "StructureSetsStructure": {
        "structure": One("Structure", "structure_id"),
        "structure_set": One("StructureSet", "structure_set_id"),
    },
    "StructureGraph": {
        "root_structure": One("Structure", "root_structure_id"),
        "atlases": Many("Atlas", "structure_graph_id"),
    },
    "Ontology": {
        "structures": Many("Structure", "ontology_id"),
        "structure_graphs": Many("StructureGraph", "ontology_id"),
    },
    "Atlas": {
        "graphic_group_labels": Through("GraphicGroupLabel", tellers.ATLAS_LABELS),
        "atlas_data_sets": Through("AtlasDataSet", tellers.ATLAS_DATA_SETS),
    },
    "DataSet": {
        "section_images": Many("SectionImage", "data_set_id"),
        "sub_images": Many("SubImage", "data_set_id"),
        "atlas_images": Many("AtlasImage", "data_set_id"),
        "equalization": Many("Equalization", "section_data_set_id", single=True),
        "alignment3d": Many("Alignment3d", "aligned_id", single=True),
        "projection_structure_unionizes": Many("ProjectionStructureUnionize", "section_data_set_id"),
        "structure_unionizes": Many("StructureUnionize", "section_data_set_id"),
        "manual_annotations": Many("ManualAnnotation", "section_data_set_id"),
        "atlases": Through("Atlas", tellers.DATA_SET_ATLASES),
        "genes": Through("Gene", tellers.DATA_SET_GENES),
        "products": Through("Product", tellers.DATA_SET_PRODUCTS),
    },
    "SubImage": {
        "data_set": One("DataSet", "data_set_id"),
        "section_data_set": One("SectionDataSet", "data_set_id"),
        "atlas_data_set": One("AtlasDataSet", "data_set_id"),
        "alignment2d": Many("Alignment2d", "section_image_id", single=True),
    },
    "Alignment2d": {"section_image": One("SectionImage", "section_image_id")},
    "ProjectionStructureUnionize": _DATA_SET_STRUCTURE,
    "StructureUnionize": _DATA_SET_STRUCTURE,
    "Specimen": {
        "parent": One("Specimen", "parent_id"),
        "children": Many("Specimen", "parent_id"),
        "ephys_result": Many("EphysResult", "specimen_id", single=True),
        "ephys_sweeps": Many("EphysSweep", "specimen_id"),
        "ephys_features": Many("EphysFeature", "specimen_id"),
        "neuron_reconstructions": Many("NeuronReconstruction", "specimen_id"),
        "neuronal_models": Many("NeuronalModel", "specimen_id"),
        "data_sets": Many("SectionDataSet", "specimen_id"),
        "products": Through("Product", tellers.SPECIMEN_PRODUCTS),
    },
    "EphysResult": {**_OF_CELL, "well_known_files": Attached(("EphysResult",))},
    "EphysSweep": _OF_CELL,
    "EphysFeature": _OF_CELL,
    "NeuronReconstruction": {**_OF_CELL, "well_known_files": Attached(("NeuronReconstruction",))},
    "NeuronalModel": {"neuronal_model_runs": Many("NeuronalModelRun", "neuronal_model_id")},
    "NeuronalModelRun": {
        "neuronal_model": One("NeuronalModel", "neuronal_model_id"),
        "well_known_files": Attached(("NeuronalModelRun",)),
    },
    "NeuronalModelTemplate": {"well_known_files": Through("WellKnownFile", tellers.TEMPLATE_FILES)},
    "IsiExperiment": {"experiment_container": Many("ExperimentContainer", "isi_experiment_id", single=True)},
    "EcephysUnitMetricBundle": {"ecephys_unit": One("EcephysUnit", "ecephys_unit_id")},
    "EcephysUnit": {"ecephys_channel": One("EcephysChannel", "ecephys_channel_id")},
    "EcephysChannel": {
        "structure": One("Structure", "ecephys_structure_id"),
        "ecephys_units": Many("EcephysUnit", "ecephys_channel_id"),
    },
    "Gene": {
        "probes": Many("Probe", "gene_id"),
        "data_sets": Through("SectionDataSet", tellers.GENE_DATA_SETS),
    },
}

# Columns that a query may filter by, though no record has them.
_MEMBERSHIPS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "Structure": {"structure_set_id": ("structure_sets", "id")}
}
