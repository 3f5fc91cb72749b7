"""Every stored table of the project, one module per schema. ``TABLES`` maps name to TableSpec."""

from __future__ import annotations

from ..spec import TableSpec
from . import behavior, ccf, cells, connectivity, ecephys, icephys, ish, models, morphology, nwb, ophys, pipelines, rma
from . import rma_schema as schema
from . import rma_svg as drawings

TABLES: dict[str, TableSpec] = {
    spec.name: spec
    for module in (
        nwb, ecephys, behavior, icephys, cells, morphology, models, ccf, connectivity, ish, pipelines, rma, schema, drawings, ophys,
    )
    for spec in module.SPECS
}  # fmt: skip
