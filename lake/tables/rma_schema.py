"""What the API says of its own models: their fields and associations (spec: api E04, E05, 2.3)."""

from __future__ import annotations

from ..spec import Column, TableSpec, boolean, int32, text

_MODEL = Column(1, "model", text, "model of the API")
_TABLE = Column(2, "table_name", text, "the API's name of its table, which qualifies columns in queries")

MODEL_FIELDS = TableSpec(
    "rma.model_fields",
    grain="one field of one model of the API, as its schema tells",
    part="schema",
    columns=(
        _MODEL,
        _TABLE,
        Column(3, "field", text, "field"),
        Column(4, "field_index", int32, "its place among the model's, from 0"),
        Column(5, "field_type", text, "integer, float, string, text, boolean, datetime, date, or an array of some"),
        Column(6, "is_nullable", boolean, "records may lack it", None, True),
        Column(7, "extra", text, "limit, scale, precision and whatever else is told, a JSON object", None, True),
    ),
    key=("model", "field"),
    sort=("model", "field_index"),
)

MODEL_ASSOCIATIONS = TableSpec(
    "rma.model_associations",
    grain="one association of one model of the API, as its schema tells",
    part="schema",
    columns=(
        _MODEL,
        _TABLE,
        Column(3, "association", text, "name by which queries follow it"),
        Column(4, "association_index", int32, "its place among the model's, from 0"),
        Column(5, "association_type", text, "belongs_to, has_one, has_many or has_and_belongs_to_many"),
        Column(6, "target_model", text, "model that it leads to"),
    ),
    key=("model", "association"),
    sort=("model", "association_index"),
)

SPECS = (MODEL_FIELDS, MODEL_ASSOCIATIONS)
