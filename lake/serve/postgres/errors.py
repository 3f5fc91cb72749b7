"""What goes wrong, as clients of PostgreSQL are told it: a class of five characters (SQLSTATE), a text, a place."""

from __future__ import annotations

import re

import duckdb

from ...errors import (
    AbsentError,
    BrainlakeError,
    DamageError,
    LakeBusyError,
    NotAdmittedError,
    QueryError,
    SnapshotExpired,
    UnknownError,
)


class PgError(Exception):
    """An error as the protocol carries it. ``fatal``: the connection ends with it. ``position`` counts from 1."""

    def __init__(
        self, code: str, message: str, *, hint: str | None = None, position: int | None = None, fatal: bool = False
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.hint, self.position, self.fatal = code, message, hint, position, fatal


def protocol_violation(message: str) -> PgError:
    """What a client sent is no message of the protocol: the connection cannot go on."""
    return PgError("08P01", message, fatal=True)


# DuckDB's kinds of error, in the words its messages begin with.
_OF_KIND = {
    "Parser Error": "42601",
    "Syntax Error": "42601",
    "Catalog Error": "42P01",
    "Binder Error": "42000",
    "Conversion Error": "22P02",
    "Mismatch Type Error": "42804",
    "Out of Range Error": "22003",
    "Invalid Input Error": "22023",
    "Constraint Error": "23000",
    "Out of Memory Error": "53200",
    "INTERRUPT Error": "57014",
    "Permission Error": "42501",
    "Not implemented Error": "0A000",
    "Parameter Not Allowed Error": "42P02",
    "Parameter Not Resolved Error": "42P18",
    "Invalid Configuration Error": "53400",
    "TransactionContext Error": "25000",
    "Sequence Error": "55000",
    "Dependency Error": "2BP01",
    "IO Error": "58030",
    "INTERNAL Error": "XX000",
    "FATAL Error": "XX000",
}

# What a message of such a kind says more exactly; the first that fits.
_SAID = tuple(
    (re.compile(pattern, re.IGNORECASE), code)
    for pattern, code in (
        (r"^Catalog Error: .*because schema \S+ does not exist", "3F000"),
        (r"^Catalog Error: (Table )?Function with name", "42883"),
        (r"^Catalog Error: (Scalar|Aggregate|Table|Macro) Function", "42883"),
        (r"^Catalog Error: Type with name", "42704"),
        (r"^Catalog Error: (unrecognized configuration|Setting)", "42704"),
        (r"Referenced column|does not have a column named|column .* not found", "42703"),
        (r"Referenced table .* not found", "42P01"),
        (r"Ambiguous reference|is ambiguous", "42702"),
        (r"No function matches|Could not choose a best candidate|does not support the supplied arguments", "42883"),
        (r"Macro .* (needs|takes|has no parameter)|_?\w+\(.*\) (needs|takes|has no parameter)", "42883"),
        (r"GROUP BY|aggregate function calls cannot be nested|cannot contain aggregates", "42803"),
        (r"cannot contain window functions|window functions? .*not allowed", "42P20"),
        (r"Set operations can only apply", "42601"),
        (r"Cannot compare values of type|Cannot combine types|Cannot mix values|types? .* cannot be cast", "42804"),
        (r"LIMIT.*cannot be negative", "2201W"),
        (r"Division by zero|division by zero", "22012"),
        (r"(date|time|timestamp) field value out of range", "22008"),
        (r"out of range|Overflow", "22003"),
        (r"invalid (date|time|timestamp|interval) field|to (DATE|TIME|TIMESTAMP|INTERVAL)", "22007"),
        (r"More than one row returned by a subquery", "21000"),
        (r"Values were not provided for the following parameters", "42P02"),
        (r"Max expression depth|nesting|recursion", "54001"),
        (r"temp(orary)? directory|max_temp_directory_size|No space left", "53100"),
    )
)  # fmt: skip


def state_of(text: str) -> str:
    """The SQLSTATE of a message of DuckDB's."""
    kind = re.match(r"([A-Za-z ]+?Error): ", text)
    code = _OF_KIND.get(kind[1], "XX000") if kind else "XX000"
    if code[:2] in ("42", "22", "53"):
        for pattern, exact in _SAID:
            if pattern.search(text):
                return exact
    return code


def as_pg_error(error: BaseException, position: int | None = None) -> PgError:
    """Any error of ours or DuckDB's as a client is told it.

    position : where in the client's text, from 1, if known
    """
    if isinstance(error, PgError):
        return error
    text = str(error)
    if isinstance(error, NotAdmittedError):
        code = "25006" if "only reads" in text else "54001" if "too large" in text else "42501"
        return PgError(code, text, position=position)
    code = _of_ours(error)
    if isinstance(error, (QueryError, duckdb.Error, OSError)) and re.match(r"[A-Za-z ]+?Error: ", text):
        code = state_of(text)
    if not isinstance(error, (BrainlakeError, duckdb.Error, OSError)):
        # A defect of ours: its text may hold data, which has no place in a log or on a wire.
        return PgError("XX000", f"a defect of brainlake ({type(error).__name__}): please report it")
    message, hint = _parts(text)
    if code == "57014":
        message = "the statement was stopped, as its client asked"
    return PgError(code, message, hint=hint, position=position)


def _of_ours(error: BaseException) -> str:
    kinds: tuple[tuple[type, str], ...] = (
        (AbsentError, "P0002"), (UnknownError, "42704"), (SnapshotExpired, "55000"), (DamageError, "XX001"),
        (LakeBusyError, "55P03"), (QueryError, "22023"), (BrainlakeError, "58000"), (OSError, "58030"),
    )  # fmt: skip
    return next((code for kind, code in kinds if isinstance(error, kind)), "XX000")


def _parts(text: str) -> tuple[str, str | None]:
    """Message and hint: without the kind in front, and without the copy of the query, which clients show themselves."""
    text = re.sub(r"^[A-Za-z ]+?Error: ", "", text)
    text = re.sub(r"\n*LINE \d+: .*\n *\^*", "", text)
    message, *hint = re.split(r"\n+(?=Nearest names|`)", text, maxsplit=1)
    return message.strip(), hint[0].strip() if hint else None


def position_in(text: str, query: str) -> int | None:
    """Where in a query, from 0, DuckDB's message points; None where it does not."""
    found = re.search(r"LINE (\d+): (.*)\n( *)\^", text)
    if not found:
        return None
    lines = query.split("\n")
    number, shown, column = int(found[1]), found[2], len(found[3]) - len(f"LINE {found[1]}: ")
    if number > len(lines) or column < 0:
        return None
    line, start = lines[number - 1], sum(len(one) + 1 for one in lines[: number - 1])
    if shown.startswith("..."):  # a long line, cut on both sides
        at = line.find(shown[3:].removesuffix("..."))
        return start + at + column - 3 if at >= 0 else None
    return start + column if column <= len(line) else None
