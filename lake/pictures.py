"""Pictures of an answer: the functions of ``views/plots``, found when first asked for."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .errors import BrainlakeError

if TYPE_CHECKING:
    from .relation import Relation


class Plots:
    """Pictures of a relation; each is a function of a module of ``views/plots`` that takes its frame."""

    def __init__(self, relation: Relation) -> None:
        self._relation = relation

    def __dir__(self) -> list[str]:
        return sorted(pictures())

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        known = pictures()
        if name not in known:
            raise AttributeError(f"there is no picture {name}: there are {', '.join(sorted(known))}")
        return lambda **options: known[name](self._relation.pl(), **options)


def pictures() -> dict[str, Callable[..., Any]]:
    """Every picture, by name. Raises BrainlakeError without the extra ``plots``."""
    from ..views import plots

    found = {}
    for module in pkgutil.iter_modules(plots.__path__):
        try:
            loaded = importlib.import_module(f"{plots.__name__}.{module.name}")
        except ModuleNotFoundError as error:
            raise BrainlakeError(f"pictures need {error.name}: pip install 'brainlake[plots]'") from None
        for name in getattr(loaded, "__all__", ()):
            found[name] = getattr(loaded, name)
    return found
