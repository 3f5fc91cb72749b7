"""SET, SHOW and RESET: what clients of PostgreSQL ask for when they connect, and what of it has an effect here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, MutableMapping

from ..pg_catalog import SERVER_VERSION, SERVER_VERSION_NUM
from .errors import PgError

# Settings that clients are told of when they connect and whenever they change, in PostgreSQL's spelling.
REPORTED = (
    "application_name", "client_encoding", "DateStyle", "default_transaction_read_only", "in_hot_standby",
    "integer_datetimes", "IntervalStyle", "is_superuser", "scram_iterations", "search_path", "server_encoding",
    "server_version", "session_authorization", "standard_conforming_strings", "TimeZone",
)  # fmt: skip

_DEFAULTS = {
    "application_name": "",
    "brainlake.snapshot": "",
    "bytea_output": "hex",
    "client_encoding": "UTF8",
    "client_min_messages": "notice",
    "constraint_exclusion": "partition",
    "cursor_tuple_fraction": "0.1",
    "datestyle": "ISO, MDY",
    "default_table_access_method": "heap",
    "default_tablespace": "",
    "default_text_search_config": "pg_catalog.simple",
    "default_transaction_deferrable": "off",
    "default_transaction_isolation": "read committed",
    "default_transaction_read_only": "on",
    "default_with_oids": "off",
    "enable_bitmapscan": "on",
    "enable_hashjoin": "on",
    "enable_indexscan": "on",
    "enable_mergejoin": "on",
    "enable_nestloop": "on",
    "enable_seqscan": "on",
    "escape_string_warning": "on",
    "extra_float_digits": "1",
    "geqo": "on",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "in_hot_standby": "off",
    "integer_datetimes": "on",
    "intervalstyle": "postgres",
    "is_superuser": "off",
    "jit": "off",
    "lc_collate": "C",
    "lc_ctype": "C.UTF-8",
    "lc_messages": "C",
    "lc_monetary": "C",
    "lc_numeric": "C",
    "lc_time": "C",
    "lock_timeout": "0",
    "max_identifier_length": "63",
    "max_index_keys": "32",
    "quote_all_identifiers": "off",
    "row_security": "on",
    "scram_iterations": "4096",
    "search_path": '"$user", public',
    "server_encoding": "UTF8",
    "server_version": SERVER_VERSION,
    "server_version_num": str(SERVER_VERSION_NUM),
    "session_authorization": "",
    "session_replication_role": "origin",
    "ssl": "off",
    "standard_conforming_strings": "on",
    "statement_timeout": "0",
    "synchronize_seqscans": "on",
    "synchronous_commit": "on",
    "temp_buffers": "8MB",
    "timezone": "UTC",
    "transaction_deferrable": "off",
    "transaction_isolation": "read committed",
    "transaction_read_only": "on",
    "transaction_timeout": "0",
    "wal_level": "minimal",
    "work_mem": "4MB",
    "xmloption": "content",
}

_FIXED = frozenset(
    {
        "in_hot_standby", "integer_datetimes", "is_superuser", "lc_collate", "lc_ctype", "max_identifier_length",
        "max_index_keys", "server_encoding", "server_version", "server_version_num", "session_authorization", "ssl",
        "wal_level",
    }
)  # fmt: skip

# Settings of which only such values hold here.
_ONLY = {
    "bytea_output": r"hex",
    "client_encoding": r"utf-?8|unicode|sql_ascii",
    "datestyle": r"(iso|default)(\s*,\s*\w+)?|\w+\s*,\s*iso|mdy|dmy|ymd",
    "default_transaction_read_only": r"on|true|yes|1|t|y",
    "intervalstyle": r"postgres",
    "standard_conforming_strings": r"on|true|yes|1|t|y",
    "transaction_read_only": r"on|true|yes|1|t|y",
}
_ALIASES = {"time zone": "timezone", "session_timezone": "timezone", "names": "client_encoding"}
_TIMES = frozenset(
    {
        "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "idle_session_timeout",
        "transaction_timeout",
    }
)  # fmt: skip
_UNITS = {"": 1e-3, "us": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}
_LONGEST = 10_000  # characters of a value
_OWN_AT_MOST = 200  # settings of a client's own, as ``myapp.user``

_SPELLED = {name.lower(): name for name in REPORTED}


class Settings(MutableMapping[str, str]):
    """The settings of one connection, by lower-case name. Setting one checks it, and notes what the client is told.

    act : what happens when a setting is given a value; it may raise, and then nothing is set
    """

    def __init__(self, user: str, act: dict[str, Callable[[str], None]] | None = None) -> None:
        self._act = act or {}
        self._defaults = {**_DEFAULTS, "session_authorization": user}
        self._values: dict[str, str] = {}
        self.changed: set[str] = set()  # reported settings that the client has not been told

    def start(self, values: dict[str, str]) -> None:
        """What the startup message asks for: it is also what RESET goes back to."""
        for name, value in values.items():
            self[name] = value
        self._defaults |= self._values
        self._values.clear()
        self.changed.clear()

    @staticmethod
    def name(name: str) -> str:
        return _ALIASES.get(name.lower(), name.lower())

    def __getitem__(self, name: str) -> str:
        name = self.name(name)
        if name in self._values:
            return self._values[name]
        if name in self._defaults:
            return self._defaults[name]
        raise KeyError(name)

    def __setitem__(self, name: str, value: str) -> None:
        name = self.name(name)
        if name not in self._defaults and name not in self._values:
            if "." not in name:
                raise unknown(name)
            if len(self._values) >= _OWN_AT_MOST:
                raise PgError("53400", f"a connection may have {_OWN_AT_MOST} settings of its own")
        if name in _FIXED:
            raise PgError("55P02", f'parameter "{name}" cannot be changed')
        if len(value) > _LONGEST:
            raise PgError("22023", f'the value of "{name}" is too long')
        pattern = _ONLY.get(name)
        if pattern and not re.fullmatch(pattern, value.strip(" '\""), re.IGNORECASE):
            raise PgError("22023", f'parameter "{name}" is {self[name]} here, and cannot be "{value}"')
        if name in _TIMES:
            _seconds(name, value)
        if name == "client_encoding":
            value = "UTF8"
        if name == "datestyle":
            value = "ISO, MDY"
        if self.get(name) != value:
            if name in self._act:
                self._act[name](value)
            self._values[name] = value
            if name in _SPELLED:
                self.changed.add(name)

    def __delitem__(self, name: str) -> None:
        name = self.name(name)
        if name not in self._defaults and name not in self._values:
            raise unknown(name)
        if name in self._values:
            self.restore({known: value for known, value in self._values.items() if known != name})

    def __iter__(self) -> Iterator[str]:
        return iter({**self._defaults, **self._values})

    def __len__(self) -> int:
        return len({**self._defaults, **self._values})

    def show(self, name: str) -> str:
        """A setting's value. Raises PgError 42704 where there is none of the name."""
        try:
            return self[name]
        except KeyError:
            raise unknown(name) from None

    def snapshot(self) -> dict[str, str]:
        """What has been set, to come back to when a transaction is taken back."""
        return dict(self._values)

    def restore(self, values: dict[str, str]) -> None:
        for name in self._values.keys() | values.keys():
            if self._values.get(name) != values.get(name):
                if name in self._act:
                    self._act[name](values.get(name, self._defaults.get(name, "")))
                if name in _SPELLED:
                    self.changed.add(name)
        self._values = dict(values)

    def reset_all(self) -> None:
        self.restore({})

    def seconds(self, name: str) -> float:
        """A time's setting in seconds; 0: none."""
        return _seconds(name, self[name])

    def reports(self) -> list[tuple[str, str]]:
        """Name and value of the reported settings, for a client that connects."""
        return [(name, self[name]) for name in REPORTED]

    def news(self) -> list[tuple[str, str]]:
        """Reported settings that changed since they were told."""
        changed, self.changed = sorted(self.changed), set()
        return [(_SPELLED[name], self[name]) for name in changed]


def unknown(name: str) -> PgError:
    return PgError("42704", f'unrecognized configuration parameter "{name}"')


def _seconds(name: str, value: str) -> float:
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(us|ms|s|min|h|d)?\s*", value)
    if not found:
        raise PgError("22023", f'"{value}" is no time for "{name}": write 500, 500ms, 5s or 1min')
    return float(found[1]) * _UNITS[found[2] or ""]
