"""What one lake tells of the API's models: its records of each, and the types of their columns.

A model has several tellers, and in most lakes one of them knows anything: the others are left out of its query, as
planning what finds nothing takes longer than finding the rest.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .models import Model

if TYPE_CHECKING:
    from ..session import Session
    from ..states import LakeState


@dataclass(frozen=True)
class Records:
    """A model's records in a lake.

    sql : a row each, with every column of the model
    types : DuckDB's types of the columns
    known : columns that some teller knows; the others are NULL
    is_merged : whether several tellers know the records
    """

    sql: str
    types: Mapping[str, str]
    known: frozenset[str]
    is_merged: bool


class Told:
    """The records that a session's snapshot has of each model. Several threads may ask at once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._state: LakeState | None = None
        self._found: dict[str, Records] = {}
        self._lock = threading.Lock()

    def of(self, model: Model) -> Records:
        """Looked up once a snapshot."""
        with self._lock:
            if self._state is not self._session.state:
                self._state = self._session.state
                self._found.clear()
            if model.name not in self._found:
                self._found[model.name] = self._records(model)
            return self._found[model.name]

    def types(self, model: Model) -> Mapping[str, str]:
        """DuckDB's types of a model's columns."""
        return self.of(model).types

    def _records(self, model: Model) -> Records:
        whole = model.merged(model.told_by)
        with self._session.cursor(whole) as cursor:
            bound = cursor.sql(whole)
            types = dict(zip(bound.columns, map(str, bound.types), strict=True))
        telling = (
            model.told_by if len(model.told_by) == 1 else tuple(q for q in model.told_by if not self._is_silent(q))
        )
        telling = telling or model.told_by[:1]
        return Records(model.merged(telling, types), types, model.known_to(telling), len(telling) > 1)

    def _is_silent(self, query: str) -> bool:
        """Whether a teller has nothing to tell: its tables are empty, and it knows nothing by itself."""
        if self._session.has_rows_for(query):
            return False
        with self._session.cursor(query) as cursor:
            return not cursor.execute(f"select 1 from ({query}) limit 1").fetchall()
