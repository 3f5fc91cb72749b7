"""``pg_catalog`` and ``information_schema`` of a lake: what clients of PostgreSQL ask to find their way."""

from .catalogue import Catalogue
from .contract import SERVER_VERSION, SERVER_VERSION_NUM, ClientContext, Rewritten

__all__ = ["SERVER_VERSION", "SERVER_VERSION_NUM", "Catalogue", "ClientContext", "Rewritten"]
